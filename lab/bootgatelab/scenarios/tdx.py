"""A trust domain of Intel's: the gate opens for its quote, and for no other."""
import base64
import hashlib
import secrets
import socket

from .. import guest as machine
from .. import tdx
from ..attacker import EVENT_LOG, TDX, Claim
from ..stories import (
    are_ok, boots, expect, refused_for, refused_only_for, refuses, releases, said, scenario,
    stopped_by_gate)

END = hashlib.sha384(b"bootgate end").hexdigest()


BOOT = """
[boot]
required = true
"""


def enrolled(world, extra=""):
    """A TDX machine and a VM that its owner lets boot there; `extra` belongs to the policy."""
    host = tdx.Machine(world)
    host.trust()
    host.publish(world.broker.endorsements)
    return host, world.enroll(policy=host.policy(extra=extra))


def quoted_by(chip):
    """What a client presents who has `chip` quote its own session."""
    return lambda claim: {"report": chip.report(claim.report_data)[0]}


@scenario("tdx-boot", "a trust domain boots; its evidence dies at hand-over", group="evidence")
def tdx_boot(world):
    world.append(tdx.RESERVED)
    host, vm = enrolled(world, BOOT)
    chip = host.domain(vm)
    guest = world.power_on(
        vm, chip=chip, mode="ask", devices=host.log_devices(chip, world.folder("log")))
    row = boots(world, guest)
    are_ok(world, row, "quote signature", "PCK chain", "Intel root", "TCB info", "TCB status", "binding",
           "config anchor", "measurement", "debug", "boot events", "hand-over")
    expect(chip.events("local_report"), "the agent read no TDREPORT through /dev/tdx_guest")
    extended = chip.events("extend")
    expect([(event["register"], event["digest"]) for event in extended] == [(3, END)],
           f"expected RTMR3 to be extended once by the end marker, got {extended}")
    expect(guest.seen(r"LAB: configfs-tsm tdx_guest"), "the guest's provider is not tdx_guest")

    guest.wait_for(r"LAB: asking", "root in the guest to listen")
    claim = Claim(world.broker.port, vm, TDX)
    with socket.socket(socket.AF_UNIX) as root:
        root.settimeout(60)
        root.connect(str(guest.ask_socket))
        root.sendall(claim.report_data.hex().encode() + b"\n")
        line = root.makefile("r").readline().split()
    expect(line and line[0] == "report", f"the guest's root got no quote: {line[:1]}")
    claim.present(base64.b64decode(line[1]), items=[(EVENT_LOG, chip.event_log.read_bytes())])
    claim.close()
    late, finding = refused_for(world, "hand-over")
    return (f"{row['reference']} unlocked by quote and TDREPORT, RTMR3 extended; "
            f"{late['reference']} by root in the guest refused: {finding['actual'][:40]}")


@scenario("tdx-tampered", "a trust domain started with another initramfs", group="evidence")
def tdx_tampered(world):
    host, vm = enrolled(world)
    kernel, initrd, command_line = world.launch
    altered = machine.altered_initrd(initrd, world.directory / "initrd.img")
    chip = host.domain(vm, launch=(kernel, altered, command_line))
    guest = world.power_on(vm, chip=chip, initrd=altered)
    stopped_by_gate(world, guest)
    row, finding = refused_only_for(world, "measurement")
    said(guest, "refused", "that it was refused")
    return f"{row['reference']} refused by measurement: {finding['actual'][:60]}"


@scenario("tdx-refusals", "quotes with one fault each, and collateral with one", group="evidence")
def tdx_refusals(world):
    host, vm = enrolled(world)
    genuine = host.domain(vm)
    row = releases(world, vm, quoted_by(genuine), TDX)
    are_ok(world, row, "quote signature", "measurement", "TCB status")
    kernel, initrd, command_line = world.launch
    other_vm = base64.b64encode(secrets.token_bytes(32)).decode()
    chips = {
        "MRTD": ("measurement", {"options": ["--mrtd", "5a" * 48]}),
        "RTMR2": ("measurement", {"launch": (kernel, initrd, f"{command_line} debug")}),
        "MRCONFIGID": ("config anchor", {"config_digest": other_vm}),
        "RTMR3": ("hand-over", {"options": ["--fault", "rtmr3-extended"]}),
        "debug": ("debug", {"options": ["--fault", "debug"]}),
        "signature": ("quote signature", {"options": ["--fault", "bad-signature"]}),
        "report data": ("binding", {"options": ["--fault", "wrong-report-data"]}),
    }
    for what, (check, how) in chips.items():
        chip = host.domain(vm, *how.pop("options", ()), **how)
        refuses(world, vm, quoted_by(chip), check, kind=TDX, what=what)
        chip.stop()
    documents = {
        "platform-status=OutOfDate": "TCB status",
        "revoked-key": "revocation",
        "expired-collateral": "collateral dates",
    }
    for fault, check in documents.items():
        host.publish(world.broker.endorsements, fault)
        refuses(world, vm, quoted_by(genuine), check, kind=TDX, what=fault)
    host.publish(world.broker.endorsements)
    releases(world, vm, quoted_by(genuine), TDX, "the genuine quote with good collateral again")
    return f"{len(chips)} quotes and {len(documents)} sets of collateral refused, each for its fault"
