"""What is left in the guest's memory."""
import time

from ..guest import BOOT_LIMIT
from ..memory import Dump, places
from ..processes import wait_until
from ..stories import boots, expect, only_launch, scenario, stopped_by_gate
from .disk import give_wrong_key

# How long the frozen guest runs between two dumps, and how often it is looked at.
STEP = 0.004
STEPS = 120


def frozen_at(guest, hold, flight):
    """Stops the guest as soon as `flight` is on its way to it, and dumps its memory."""
    wait_until(lambda: hold.reached.is_set() or not guest.console.running, BOOT_LIMIT, flight)
    expect(hold.reached.is_set(), f"the broker sent no {flight}")
    return Dump(guest.dump(f"at-{flight}"))


def keys_of_hello(vm, guest, challenge, release):
    """The public keys of every HELLO sent, once the private key of one was found in use.

    Ends with the guest frozen and RELEASE still held back.
    """
    dump = frozen_at(guest, challenge, "challenge")
    public = set(dump.hello_public_keys(vm))
    dump.close()
    expect(public, "HELLO was not found in memory: the scan would prove nothing")
    challenge.forward()
    guest.monitor.command("cont")
    dump = frozen_at(guest, release, "release")
    public |= set(dump.hello_public_keys(vm))
    private = dump.private_keys(public)
    early = dump.traces(vm.disk_key)
    dump.close()
    expect(private, "the ephemeral private key was not found while it was in use")
    expect(not early, "the disk key was in memory before it was released")
    return public


def passphrase_in_use(vm, guest):
    """Lets the frozen guest run step by step until the passphrase is seen; the step it was."""
    for step in range(STEPS):
        guest.monitor.command("cont")
        time.sleep(STEP)
        dump = Dump(guest.dump("in-use"))
        # As it is used; looking for its other forms as well would take five times as long.
        seen = any(True for _ in places(dump.data, vm.disk_key))
        dump.close()
        if seen:
            return step
    return None


def finds_neither(guest, passphrase, public, name):
    """The dump holds no form of the passphrase, and no private key of the HELLOs."""
    dump = Dump(guest.dump(name))
    traces, private = dump.traces(passphrase), dump.private_keys(public)
    dump.close()
    expect(not traces, f"{name}: the passphrase is in memory ({', '.join(traces)})")
    expect(not private, f"{name}: the ephemeral private key is in memory at {private[:1]}")


@scenario("memory-scan", "the passphrase and the ephemeral key are gone after the boot")
def memory_scan(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    challenge, release = proxy.hold("challenge"), proxy.hold("release")
    guest = world.power_on(vm, mode="stay")
    public = keys_of_hello(vm, guest, challenge, release)
    release.forward()
    step = passphrase_in_use(vm, guest)
    expect(step is not None, "the passphrase was never seen in memory: the scan proves nothing")
    guest.monitor.command("cont")
    boots(world, guest)
    finds_neither(guest, vm.disk_key, public, "after-multi-user")
    return (f"positive control: private key at RELEASE, passphrase {step + 1} steps later; "
            "after multi-user neither")


@scenario("memory-scan-refused-key", "both are gone after the disk refused the key")
def memory_scan_refused_key(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    wrong = give_wrong_key(world, vm)
    challenge, release = proxy.hold("challenge"), proxy.hold("release")
    guest = world.power_on(vm, hold=True)
    public = keys_of_hello(vm, guest, challenge, release)
    release.forward()
    guest.monitor.command("cont")
    stopped_by_gate(world, guest)
    row = only_launch(world, outcome="failed")
    finds_neither(guest, wrong, public, "after-refusal")
    return f"{row['reference']} failed: {row['failure']}; memory at power-off holds neither"
