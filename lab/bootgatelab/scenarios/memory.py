"""What is left in the guest's memory."""
from ..memory import Dump
from ..processes import wait_until
from ..stories import boots, expect, only_launch, scenario, stopped_by_gate
from .disk import give_wrong_key

# How long the frozen guest runs between two dumps, and how often it is looked at.
STEP = 0.004
STEPS = 120


def keys_of_hello(world, vm, guest, hold):
    """The public key of the HELLO on its way, from the memory that holds it."""
    wait_until(lambda: hold.reached.is_set() or not guest.console.running, 180, "RELEASE")
    expect(hold.reached.is_set(), "the broker released nothing")
    dump = Dump(guest.dump("at-release"))
    public = dump.hello_public_keys(vm)
    expect(public, "HELLO was not found in memory: the scan would prove nothing")
    private = dump.private_keys(public)
    expect(private, "the ephemeral private key was not found while it was in use")
    expect(not dump.traces(vm.disk_key), "the disk key was in memory before it was released")
    dump.close()
    return public


def passphrase_in_use(vm, guest):
    """Lets the frozen guest run step by step until the passphrase is seen; the step it was."""
    import time
    for step in range(STEPS):
        guest.monitor.command("cont")
        time.sleep(STEP)
        dump = Dump(guest.dump("in-use"))
        seen = dump.traces(vm.disk_key)
        dump.close()
        if seen:
            return step
    return None


def finds_neither(vm, guest, public, name):
    """The dump holds no form of the passphrase and no private key to any HELLO."""
    dump = Dump(guest.dump(name))
    keys = set(public) | set(dump.hello_public_keys(vm))
    traces, private = dump.traces(vm.disk_key), dump.private_keys(keys)
    dump.close()
    expect(not traces, f"{name}: the passphrase is in memory ({', '.join(traces)})")
    expect(not private, f"{name}: the ephemeral private key is in memory at {private[0]:#x}"
           if private else "")
    return len(keys)


@scenario("memory-scan", "the passphrase and the ephemeral key are gone after the boot")
def memory_scan(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    hold = proxy.hold("release")
    guest = world.power_on(vm, mode="stay")
    public = keys_of_hello(world, vm, guest, hold)
    hold.forward()
    step = passphrase_in_use(vm, guest)
    expect(step is not None, "the passphrase was never seen in memory: the scan proves nothing")
    guest.monitor.command("cont")
    boots(world, guest)
    keys = finds_neither(vm, guest, public, "after-multi-user")
    return (f"positive control: private key at RELEASE, passphrase {step + 1} steps later; "
            f"after multi-user neither ({keys} HELLO keys tried)")


@scenario("memory-scan-refused-key", "both are gone after the disk refused the key")
def memory_scan_refused_key(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    give_wrong_key(world, vm)
    wrong = bytes(range(32))
    hold = proxy.hold("release")
    guest = world.power_on(vm, hold=True)
    public = keys_of_hello(world, vm, guest, hold)
    guest.monitor.command("cont")
    hold.forward()
    stopped_by_gate(world, guest)
    row = only_launch(world, outcome="failed")
    dump = Dump(guest.dump("after-refusal"))
    traces, private = dump.traces(wrong), dump.private_keys(public)
    dump.close()
    expect(not traces, f"the released key is in memory ({', '.join(traces)})")
    expect(not private, "the ephemeral private key is in memory")
    return f"{row['reference']} failed: {row['failure']}; memory at power-off holds neither"
