"""The simulated processor: an identity made once, a process for every launch."""
import functools
import hashlib
import json
import mmap
import shutil
import struct
import threading

from . import paths
from .processes import Failure, Program, run, wait_until

TOOL = paths.BIN / "bootgate-psp"
_making = threading.Lock()


@functools.cache
def _version():
    return hashlib.sha256(TOOL.read_bytes()).hexdigest()


def identity(name, *options, command=("init",)):
    """The folder of a simulated processor with its vendor's keys, made on first use by this simulator."""
    home = paths.PROCESSORS / name
    made_by = home / "made-by"
    with _making:
        if not made_by.exists() or made_by.read_text() != _version():
            shutil.rmtree(home, ignore_errors=True)
            home.parent.mkdir(parents=True, exist_ok=True)
            run([TOOL, *command, "--dir", home, *options])
            made_by.write_text(_version())
    return home


def state(home):
    """What kind of processor it is: product, TCB, root key digest."""
    return json.loads((home / "state.json").read_text())


def measured_firmware():
    """The VM's firmware with the SEV metadata that measuring kernel hashes needs, made on first use."""
    plain = paths.FIRMWARE.read_bytes()
    annotated = paths.LAB / f"firmware-{hashlib.sha256(plain).hexdigest()[:16]}.fd"
    with _making:
        if not annotated.exists():
            annotated.parent.mkdir(parents=True, exist_ok=True)
            run([TOOL, "firmware", "--in", paths.FIRMWARE, "--out", annotated])
    return annotated


def inputs(kernel, initrd, command_line):
    """The options that say what a launch digest covers."""
    return ["--firmware", measured_firmware(), "--vcpus", "1", "--kernel", kernel,
            "--initrd", initrd, "--append", command_line]


def measure(*launch):
    """The launch digest of what would be started, in hex."""
    return json.loads(run([TOOL, "measure", "--json", *inputs(*launch)]))["measurement"]


class Chip:
    """A simulated secure processor for one launch, behind a mailbox of its own."""

    def __init__(self, directory, arguments):
        self.mailbox = directory / "psp.mailbox"
        self.mailbox.unlink(missing_ok=True)
        self.program = Program(
            [TOOL, *arguments, "--mailbox", self.mailbox], directory / "psp.log")
        try:
            wait_until(lambda: self.mailbox.exists() or not self.program.running, 20, "the mailbox")
        finally:
            if not self.mailbox.exists():
                self.program.stop()
        if not self.program.running:
            raise Failure(f"bootgate-psp serve: {self.program.text.strip()[-300:]}")

    def events(self, name):
        """What it logged under that name."""
        lines = (line for _, line in list(self.program.lines))
        found = (json.loads(line) for line in lines if line.startswith("{"))
        return [event for event in found if event["event"] == name]

    def report(self, report_data):
        """(report or quote, certificate table) over 64 bytes, asked for as a guest's kernel asks."""
        with open(self.mailbox, "r+b") as file, mmap.mmap(file.fileno(), 0) as box:
            struct.pack_into("<II", box, 0x0c, 0, len(report_data))
            box[0x28:0x40] = bytes(0x18)
            box[0x40:0x40 + len(report_data)] = report_data
            number = struct.unpack_from("<I", box, 0)[0] + 1
            struct.pack_into("<I", box, 0, number)
            wait_until(
                lambda: struct.unpack_from("<I", box, 4)[0] == number, 10, "a report")
            length, auxiliary, _, status = struct.unpack_from("<IIII", box, 0x14)
            if status:
                raise Failure(f"the processor answered errno {status}")
            return box[0x1000:0x1000 + length], box[0x9000:0x9000 + auxiliary]

    def stop(self):
        self.program.stop()


class Processor(Chip):
    """`bootgate-psp serve` for one launch: a fresh REPORT_ID, one HOST_DATA."""

    def __init__(self, directory, home, host_data, launch, options=()):
        super().__init__(directory, ["serve", "--dir", home, *inputs(*launch),
                                     "--host-data", host_data, *options])


def read_recording(path):
    """(report, certificate table) that `--fault record=` kept."""
    recording = path.read_bytes()
    report, table = struct.unpack_from("<II", recording)
    return recording[8:8 + report], recording[8 + report:8 + report + table]
