"""A simulated TDX machine, and what its vendor says of it."""
import json
import struct

from . import paths, psp
from .processes import run

POLICY = """\
name = "{name}"
anchor = "mrconfigid"

[[measurement]]
label = "lab image"
mrtd = "{registers[mrtd]}"
rtmr0 = "{registers[rtmr0]}"
rtmr1 = "{registers[rtmr1]}"
rtmr2 = "{registers[rtmr2]}"
covers = ["firmware", "kernel", "initramfs", "command line"]

[tdx]
tcb_status = {{ UpToDate = "always" }}
"""

# Where the guest finds the firmware's event log; the command line keeps the kernel off it.
LOG_ADDRESS, LOG_AREA = 0x18000000, 64 << 10
RESERVED = f"memmap={LOG_AREA}${LOG_ADDRESS:#x}"


def inputs(kernel, initrd, command_line):
    """The options that say what the registers cover: QEMU's files, the firmware as it is."""
    return ["--firmware", paths.FIRMWARE, "--kernel", kernel, "--initrd", initrd,
            "--append", command_line]


class Machine:
    """A TDX machine with its vendor's keys, made on first use, in a story's world."""

    def __init__(self, world):
        self._world = world
        self.home = psp.identity("tdx", command=("tdx", "init"))
        self.state = json.loads((self.home / "state.json").read_text())

    def trust(self):
        """Names the vendor's root to the story's broker; before it starts."""
        self._world.broker.trust("simulated Intel", "TDX", self.state["root_spki_sha256"])

    def publish(self, folder, *faults):
        """Puts what the vendor says into `folder`, laid down as a cache of endorsements."""
        run([psp.TOOL, "tdx", "collateral", "--dir", self.home, "--folder", folder,
             *(word for fault in faults for word in ("--fault", fault))])

    def policy(self, name="web", extra=""):
        """A policy file that knows the lab's image as it is started here."""
        registers = json.loads(run([psp.TOOL, "tdx", "measure", *inputs(*self._world.launch)]))
        path = self._world.directory / f"{name}.toml"
        path.write_text(POLICY.format(name=name, registers=registers) + extra)
        return path

    @staticmethod
    def log_devices(chip, folder):
        """QEMU's options for the ACPI table CCEL and the event log that it points to."""
        log = chip.event_log.stat().st_size
        table = folder / "ccel"
        # Type TDX, subtype, reserved, length and address of the log.
        table.write_bytes(struct.pack("<BBHQQ", 2, 0, 0, log, LOG_ADDRESS))
        return ["-acpitable", f"sig=CCEL,rev=1,data={table}", "-device",
                f"loader,file={chip.event_log},addr={LOG_ADDRESS:#x},force-raw=on"]

    def domain(self, vm, *options, config_digest=None, launch=None):
        """A trust domain launched for `vm`: its processor, without the VM."""
        world = self._world
        folder = world.folder("domain")
        chip = world.keep(psp.Chip(folder, [
            "tdx", "serve", "--dir", self.home, *inputs(*(launch or world.launch)),
            "--config-digest", config_digest or vm.host_data, "--event-log", folder / "log",
            *options]))
        chip.event_log = folder / "log"
        return chip
