"""A launch without a virtual machine: the real agent on this host, over a LUKS2 file.

The agent asks a configfs-tsm tree that FUSE serves, opens the file's keyslot and proves it, but maps
nothing. What is measured are three files that stand for firmware, kernel and initramfs.
"""
import dataclasses
import json
import os
import shutil
import subprocess

from . import paths, psp
from .processes import Failure, Program, run, wait_until

AGENT = paths.BIN / "bootgate-initramfs"
TSMFUSE = paths.LAB / "tsmfuse"
PASSPHRASE = "rehearsal: the owner's own passphrase"


def enroll(world, name="web-1", ports=None):
    """Formats a LUKS2 file and enrols it; its VM launches what ``launch`` says is launched."""
    kernel, initrd = world.directory / "kernel", world.directory / "initramfs"
    kernel.write_text("stands for a kernel\n")
    shutil.copyfile(AGENT, initrd)
    world.launch = (kernel, initrd, "stands for a command line")
    disk = world.directory / f"{name}.img"
    with open(disk, "wb") as file:
        file.truncate(20 << 20)
    run(["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--key-size", "512",
         "--cipher", "aes-xts-plain64", "--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000",
         "--key-file", "-", disk], input=PASSPHRASE)
    return world.enroll(
        name, ports=ports or [f"127.0.0.1:{world.broker.port}"], disk=disk,
        passphrase=PASSPHRASE.encode(), policy=world.policy("rehearsal"))


@dataclasses.dataclass
class Platform:
    """A mounted configfs-tsm tree and the simulated processor behind it."""
    tree: os.PathLike
    processor: psp.Processor
    bridge: Program

    def stop(self):
        if os.path.ismount(self.tree):
            run(["fusermount3", "-u", "-z", self.tree])
        self.bridge.stop()
        self.processor.stop()


def platform(world, vm, tampered=False):
    """What a VM with this launch would find under /sys/kernel/config/tsm/report."""
    folder = world.folder("platform")
    kernel, initrd, command_line = world.launch
    if tampered:
        changed = folder / "initramfs"
        changed.write_bytes(initrd.read_bytes() + b"\0")
        initrd = changed
    processor = psp.Processor(
        folder, world.processor, vm.host_data, (kernel, initrd, command_line))
    tree = folder / "tsm"
    tree.mkdir()
    bridge = Program([TSMFUSE, processor.mailbox, tree], folder / "tsmfuse.log")
    wait_until(lambda: os.path.ismount(tree) or not bridge.running, 10, "the configfs-tsm tree")
    if not bridge.running:
        raise Failure(f"tsmfuse: {bridge.text.strip()[-300:]}")
    return world.keep(Platform(tree, processor, bridge))


def command(vm, tree, report):
    """The agent's command line for one launch over `tree`."""
    return [AGENT, "launch", "--no-activate", "--tsm", tree, "--config", vm.config,
            "--device", vm.disk, "--json-report", report]


def launch(world, vm, tampered=False):
    """Runs the agent once; its report. A refusal is an answer, anything else a failure."""
    here = platform(world, vm, tampered)
    report = here.tree.parent / "report.json"
    done = subprocess.run(
        [str(part) for part in command(vm, here.tree, report)],
        capture_output=True, text=True, timeout=60, check=False)
    here.stop()
    if done.returncode not in (0, 1):
        raise Failure(f"bootgate-initramfs: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-400:]}")
    return json.loads(report.read_text())
