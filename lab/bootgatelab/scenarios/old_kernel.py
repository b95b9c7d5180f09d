"""A kernel before 6.7: no configfs-tsm, only the driver's own device and its ioctls."""
from .. import guest as machine
from ..stories import are_ok, boots, expect, refused_only_for, said, scenario, stopped_by_gate

# The lab's module then offers /dev/sev-guest alone.
OLD_KERNEL = "tsm_sim.old_kernel=1"


@scenario("sev-guest-ioctl", "evidence by the ioctl of an old kernel's /dev/sev-guest",
          group="evidence")
def sev_guest_ioctl(world):
    world.append(OLD_KERNEL)
    vm = world.enroll()
    guest = world.power_on(vm)
    row = boots(world, guest, minimum_reports=2)
    expect(guest.seen(r"LAB: configfs-tsm none"), "the guest has a configfs-tsm provider")
    expect(guest.seen(r"LAB: device /dev/sev-guest"), "the guest has no /dev/sev-guest")
    are_ok(world, row, "signature", "binding", "config anchor", "measurement")
    return f"{row['reference']} unlocked by a report that /dev/sev-guest gave"


@scenario("sev-guest-ioctl-tampered", "the same with another initramfs", group="evidence")
def sev_guest_ioctl_tampered(world):
    world.append(OLD_KERNEL)
    vm = world.enroll()
    altered = machine.altered_initrd(world.launch[1], world.directory / "initrd.img")
    guest = world.power_on(vm, initrd=altered)
    stopped_by_gate(world, guest)
    row, _ = refused_only_for(world, "measurement")
    said(guest, "refused", "that it was refused")
    return f"{row['reference']} refused by measurement"
