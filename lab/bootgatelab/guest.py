"""One VM: QEMU, its console, its monitor."""
import os
import re
import shutil
import subprocess
import threading

from . import paths
from .processes import Failure, Program, wait_until
from .qmp import Monitor

# Everything the launch digest covers beside the firmware. The second half only saves time under
# emulation.
COMMAND_LINE = (
    "console=ttyS0 loglevel=4 panic=-1 root=/dev/mapper/root rootfstype=ext4 ro "
    "rd.neednet=1 ip=dhcp rd.shell=0 rd.emergency=poweroff rd.timeout=0 "
    "systemd.gpt_auto=0 systemd.import_credentials=no "
    "systemd.show_status=0 rd.systemd.show_status=0 audit=0 "
    "mitigations=off nokaslr lsm=integrity cryptomgr.notests clearcpuid=cx16 "
    "module_blacklist=kvm_amd,kvm,ahci,libata")
MEMORY = 512 << 20
# Several times what a boot takes under emulation, so that a slow machine fails nothing.
BOOT_LIMIT = int(os.environ.get("BOOTGATE_BOOT_LIMIT", "600"))
# For guests that stories go on with after their boot.
STAY_LIMIT = 3 * BOOT_LIMIT

PANIC = re.compile(r"Kernel panic|Oops:|BUG: |general protection fault|Call Trace:")
AGENT = re.compile(r"bootgate: ")
MULTI_USER = re.compile(r"LAB: multi-user")
REPORT_DONE = re.compile(r"LAB: report-done")
POWER_DOWN = re.compile(r"reboot: Power down")


class Guest:
    """A VM from power-on; always to be stopped. `forward` is {port of this machine: port of the VM}."""

    def __init__(self, directory, launch, disks, mailbox, config, mode="poweroff", hold=False,
                 devices=(), forward=None):
        kernel, initrd, command_line = launch
        self.directory = directory
        self.report_file = directory / "guest-report"
        self.ask_socket = directory / "ask.sock"
        self.shell_socket = directory / "shell.sock"
        (directory / "mode").write_text(mode)
        network = "user,id=net,ipv6=off"
        for here, inside in (forward or {}).items():
            network += f",hostfwd=tcp:127.0.0.1:{here}-:{inside}"
        monitor = directory / "qmp.sock"
        monitor.unlink(missing_ok=True)
        argv = [
            "qemu-system-x86_64", "-machine", "q35,smm=off", "-accel", "tcg,tb-size=256",
            # QEMU 7.2 emulates cmpxchg16b wrongly: with it these kernels crash.
            "-cpu", "max", "-smp", "1", "-m", str(MEMORY >> 20), "-nodefaults",
            "-display", "none", "-no-reboot", "-bios", paths.FIRMWARE, "-serial", "stdio",
            "-qmp", f"unix:{monitor},server=on,wait=off",
            "-netdev", network, "-device", "virtio-net-pci,netdev=net,romfile=",
            "-device", "virtio-rng-pci",
            "-object", f"memory-backend-file,id=psp,share=on,size=256K,mem-path={mailbox}",
            "-device", "ivshmem-plain,memdev=psp",
            "-fw_cfg", f"name=opt/lab/mode,file={directory / 'mode'}",
            "-device", "virtio-serial-pci",
            "-chardev", f"file,id=report,path={self.report_file}",
            "-device", "virtserialport,chardev=report,name=lab.report",
            "-chardev", f"socket,id=ask,path={self.ask_socket},server=on,wait=off",
            "-device", "virtserialport,chardev=ask,name=lab.ask",
            "-chardev", f"socket,id=shell,path={self.shell_socket},server=on,wait=off",
            "-device", "virtserialport,chardev=shell,name=lab.shell",
            "-kernel", kernel, "-initrd", initrd, "-append", command_line, *devices,
        ]
        if config:
            argv += ["-fw_cfg", f"name=opt/bootgate/gate.conf,file={config}"]
        for number, disk in enumerate(disks):
            # The scenarios write to the disk under the running guest, as a host can.
            argv += ["-drive", f"file={disk},if=none,id=disk{number},format=raw,cache=unsafe,"
                     "file.locking=off",
                     "-device", f"virtio-blk-pci,drive=disk{number}"]
        if hold:
            argv += ["-no-shutdown"]
        self.overdue = False
        self.console = Program(argv, directory / "console.log")
        self._timer = threading.Timer(
            STAY_LIMIT if mode in ("shell", "stay", "ask") else BOOT_LIMIT, self._overdue)
        self._timer.daemon = True
        self._timer.start()
        try:
            self.monitor = wait_until(
                lambda: Monitor.connected(monitor) or not self.console.running, 60, "QEMU's monitor")
            if not self.console.running:
                raise Failure(f"QEMU did not start: {self.console.text[-300:]}")
        except BaseException:
            self._timer.cancel()
            self.console.stop()
            raise

    def _overdue(self):
        self.overdue = True
        self.console.stop()

    def judge_panic(self):
        if found := self.console.find(PANIC):
            raise Failure(f"the guest crashed at {found[0]:.1f} s: {found[1].string[:160]}")

    def seen(self, pattern):
        return self.console.find(re.compile(pattern) if isinstance(pattern, str) else pattern)

    def wait_for(self, pattern, what):
        """Seconds at which `pattern` came up on the console."""
        def look():
            return self.seen(pattern) or self.stopped_reason() or not self.console.running
        wait_until(look, BOOT_LIMIT, what)
        if not self.console.running:
            self.console.drain()
        self.judge_panic()
        if found := self.seen(pattern):
            return found[0]
        last = [line for _, line in self.console.lines if line.strip()][-3:]
        raise Failure(
            f"{'the guest took too long' if self.overdue else 'the guest stopped'} before: "
            f"{what}; last on its console: {' | '.join(last)[-400:]}")

    def stopped_reason(self):
        """Why the VM shut down, as QEMU knows it: guest-shutdown, guest-panic, guest-reset..."""
        event = self.monitor.event("SHUTDOWN")
        return event and event.get("reason")

    def wait_power_off(self):
        """Seconds at which the guest switched itself off."""
        wait_until(
            lambda: self.stopped_reason() or not self.console.running, BOOT_LIMIT, "power-off")
        if not self.console.running:
            self.console.drain()
            self.monitor.drain()
        self.judge_panic()
        if self.overdue:
            raise Failure(f"the guest did not switch itself off within {BOOT_LIMIT} s")
        reason = self.stopped_reason()
        if reason != "guest-shutdown":
            raise Failure(f"expected the guest to switch itself off, QEMU says: {reason}")
        found = self.seen(POWER_DOWN)
        return found[0] if found else None

    def wait_multi_user(self):
        return self.wait_for(MULTI_USER, "multi-user")

    def report(self):
        """What the guest told about itself through its virtio port, after `report-done`."""
        self.wait_for(REPORT_DONE, "the guest's report")
        return self.report_file.read_bytes()

    def dump(self, name="memory"):
        """The guest's RAM in a file; stops the VM while it is written."""
        target = self.directory / name
        self.monitor.command("stop")
        self.monitor.command("pmemsave", val=0, size=MEMORY, filename=str(target))
        return target

    def stop(self):
        self._timer.cancel()
        self.monitor.close()
        self.console.stop()


def copy_disk(source, target):
    """A writable copy; shares blocks where the file system can."""
    subprocess.run(["cp", "--reflink=auto", source.resolve(), target], check=True)
    return target


def altered_initrd(source, target):
    """The initramfs with one byte more, which the kernel skips as padding between archives.

    The launch digest sees it; the boot does not.
    """
    shutil.copyfile(source, target)
    with open(target, "ab") as file:
        file.write(b"\0")
    return target
