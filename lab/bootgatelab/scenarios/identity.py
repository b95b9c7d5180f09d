"""Who the VM is, and what it runs."""
from .. import guest as machine
from ..attacker import REFUSED, Claim
from ..stories import (
    expect, no_reference_leak, refused_for, refused_only_for, said, scenario, stopped_by_gate)


def refused_boot(world, guest, check, only=True):
    """Refused on the console by reference, in the ledger by `check`, and powered off."""
    stopped_by_gate(world, guest)
    judge = refused_only_for if only else refused_for
    row, finding = judge(world, check)
    line = said(guest, "refused", "that it was refused")
    expect(row["reference"] in line or row["launchID"][:8] in line,
           f"the console line names no reference of {row['reference']}: {line}")
    no_reference_leak(guest, finding)
    return f"{row['reference']} refused by {check}, guest powered itself off"


@scenario("unknown-vm", "a VM that the broker does not know gets nothing")
def unknown_vm(world):
    vm = world.enroll()
    world.broker.owner("vm", "remove", vm.name, "--yes")
    guest = world.power_on(vm)
    return refused_boot(world, guest, "identity", only=False)


@scenario("disabled-vm", "a VM that its owner disabled gets nothing")
def disabled_vm(world):
    vm = world.enroll()
    world.broker.owner("vm", "disable", vm.name)
    guest = world.power_on(vm)
    return refused_boot(world, guest, "VM state")


@scenario("wrong-measurement", "one byte more in the initramfs")
def wrong_measurement(world):
    vm = world.enroll()
    guest = world.power_on(
        vm, initrd=machine.altered_initrd(world.launch[1], world.directory / "initrd.img"))
    return refused_boot(world, guest, "measurement")


@scenario("debug-policy", "the host launched the VM with the debug bit")
def debug_policy(world):
    vm = world.enroll()
    guest = world.power_on(vm, faults=["--policy", "0xb0000"])
    return refused_boot(world, guest, "debug")


@scenario("tcb-too-old", "the platform's firmware is older than the policy allows")
def tcb_too_old(world):
    vm = world.enroll()
    guest = world.power_on(vm, faults=["--fault", "low-tcb"])
    return refused_boot(world, guest, "minimum TCB", only=False)


@scenario("host-data-of-another-vm", "evidence of one VM in the name of another")
def host_data_of_another_vm(world):
    vm = world.enroll("web-1")
    other = world.enroll("web-2")
    # The genuine agent would stop before any network; a forger's would not.
    claim = Claim(world.broker.port, vm)
    chip = world.processor_for(vm, host_data=other.host_data)
    answer, _ = claim.present(*chip.report(claim.report_data))
    claim.close()
    expect(answer == REFUSED, f"expected REFUSED, got frame type {answer}")
    row, finding = refused_only_for(world, "config anchor")
    expect(other.config_digest.hex()[:16] in finding["actual"].replace(" ", ""),
           f"the finding does not show the HOST_DATA that came: {finding['actual']}")
    return f"{row['reference']} refused by config anchor: HOST_DATA is web-2's"
