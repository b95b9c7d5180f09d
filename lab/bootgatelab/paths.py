"""Where the lab finds the programs and keeps its files."""
import os
import pathlib

TOP = pathlib.Path(__file__).resolve().parents[2]
LAB = pathlib.Path(os.environ.get("BOOTGATE_LAB", TOP / ".lab"))
BIN = pathlib.Path(os.environ.get("BOOTGATE_BIN", TOP / ".build/release"))
GUEST = LAB / "guest"
RUN = LAB / "run"
PROCESSORS = LAB / "processors"

# SeaBIOS, given by name so that the launch digest covers the file QEMU really starts.
FIRMWARE = pathlib.Path("/usr/share/seabios/bios-256k.bin")
