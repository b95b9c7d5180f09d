"""Evidence counts once, in the session it was made for."""
import base64
import socket
import time

from .. import psp
from ..attacker import REFUSED, RELEASE, Claim
from ..guest import BOOT_LIMIT
from ..processes import wait_until
from ..stories import (
    boots, expect, only_launch, refused_for, refused_only_for, said, scenario, stopped_by_gate)


@scenario("evidence-replayed", "evidence of an earlier launch played again")
def evidence_replayed(world):
    vm = world.enroll()
    recording = world.directory / "recorded-report"
    guest = world.power_on(vm, faults=["--fault", f"record={recording}"], mode="stay")
    world.mark("unlocked", seconds_when_unlocked(world, guest))
    guest.stop()
    # The agent sends no report that is not over its own binding; a machine in the host's hands does.
    claim = Claim(world.broker.port, vm)
    answer, _ = claim.present(*psp.read_recording(recording))
    claim.close()
    expect(answer == REFUSED, f"the replay got frame type {answer}")
    row, _ = refused_for(world, "binding")
    return f"{row['reference']} refused by binding; the recorded launch had been released"


def seconds_when_unlocked(world, guest):
    wait_until(
        lambda: world.broker.launches(outcome="unlocked") or not guest.console.running, BOOT_LIMIT,
        "an unlocked launch")
    only_launch(world, outcome="unlocked")
    return time.monotonic() - guest.console.started


@scenario("evidence-relayed", "a machine in the middle sends a genuine VM's evidence as its own")
def evidence_relayed(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    # The processor's host sees the report the genuine VM has just made; its own message waits.
    recording = world.directory / "relayed-report"
    hold = proxy.hold("evidence")
    guest = world.power_on(vm, faults=["--fault", f"record={recording}"])
    wait_until(lambda: hold.reached.is_set() or not guest.console.running, BOOT_LIMIT, "EVIDENCE")
    expect(hold.reached.is_set(), "the genuine VM sent no evidence")
    claim = Claim(world.broker.port, vm)
    report, certificates = psp.read_recording(recording)
    answer, _ = claim.present(report, certificates)
    claim.close()
    expect(answer == REFUSED, f"the relay got frame type {answer}")
    row, _ = refused_for(world, "binding")
    proxy.holds.clear()
    hold.forward()
    boots(world, guest)
    return f"the relay was refused by binding ({row['reference']}), the genuine VM booted"


@scenario("evidence-from-running-guest", "root in the running guest asks for launch evidence")
def evidence_from_running_guest(world):
    vm = world.enroll()
    guest = world.power_on(vm, mode="ask")
    first = boots(world, guest)
    guest.wait_for(r"LAB: asking", "root in the guest to listen")
    claim = Claim(world.broker.port, vm)
    with socket.socket(socket.AF_UNIX) as root:
        root.settimeout(60)
        root.connect(str(guest.ask_socket))
        root.sendall(claim.report_data.hex().encode() + b"\n")
        line = root.makefile("r").readline().split()
    expect(line and line[0] == "report", f"the guest's root got no report: {line[:1]}")
    answer, _ = claim.present(*(base64.b64decode(part) for part in line[1:]))
    claim.close()
    expect(answer != RELEASE, "a key was released to root in a running guest")
    expect(answer == REFUSED, f"expected REFUSED, got frame type {answer}")
    row, finding = refused_only_for(world, "report ID")
    return f"{row['reference']} refused: {finding['actual']} (first launch {first['reference']})"


@scenario("other-root", "a report signed under another vendor root")
def other_root(world):
    vm = world.enroll()
    stranger = psp.identity("stranger", "--product", "Milan")
    guest = world.power_on(vm, processor=stranger)
    stopped_by_gate(world, guest)
    row, finding = refused_for(world, "root")
    said(guest, "refused", "that it was refused")
    return f"{row['reference']} refused by root: {finding['actual']}"
