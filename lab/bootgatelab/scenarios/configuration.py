"""gate.conf travels by untrusted roads and is held to its anchor before any network."""
from ..stories import expect, said, scenario, stopped_by_gate


def stops_before_network(world, guest, proxy):
    lines = stopped_by_gate(world, guest)
    expect(proxy.attempts == 0, f"the agent opened {proxy.attempts} connections")
    rows = world.broker.launches()
    expect(not rows, f"the ledger has {len(rows)} launches")
    line = said(guest, "(gate.conf|host.data)", "that the configuration is not the attested one")
    expect(guest.processor.program.lines, "the agent did not ask the processor for its anchor")
    return f"no connection made, powered off; console: {line or lines[-1]}"


@scenario("config-changed", "one byte of gate.conf changed on its way")
def config_changed(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    changed = world.directory / "changed.conf"
    text = bytearray(vm.config.read_bytes())
    # A digit of the port, so that the file still parses.
    at = text.index(b"10.0.2.2:") + len(b"10.0.2.2:")
    text[at] = text[at] ^ 1
    changed.write_bytes(text)
    guest = world.power_on(vm, config=changed)
    return stops_before_network(world, guest, proxy)


@scenario("config-of-another-vm", "genuine HOST_DATA, but the gate.conf of another VM")
def config_of_another_vm(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    other = world.enroll("web-2", ports=[proxy.port])
    guest = world.power_on(vm, config=other.config)
    return stops_before_network(world, guest, proxy)
