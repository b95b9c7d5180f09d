"""What every story starts from: an owner's broker, a processor, an enrolled VM."""
import base64
import dataclasses
import hashlib
import os
import pathlib
import time

from . import broker as owner
from . import guest as machine
from . import paths, psp
from .processes import Failure
from .proxy import Proxy
from .tap import disk_key

PRODUCT = "Milan"

POLICY = """\
name = "{name}"
class = "cpu"
anchor = "host-data"
vmpl = 0
signing_key = ["vcek"]

[[measurement]]
label = "lab image"
sha384 = "{measurement}"
covers = ["firmware", "kernel", "initramfs", "command line"]

[minimum_tcb.{product}]
bootloader = {tcb[bootloader]}
tee = {tcb[tee]}
snp = {tcb[snp]}
microcode = {tcb[microcode]}

[guest_policy]
debug = false
migration = false
"""


@dataclasses.dataclass
class VM:
    """An enrolled VM: what its owner holds, and its disk."""
    name: str
    disk: pathlib.Path
    config: pathlib.Path
    record: dict
    enrolment: dict

    @property
    def config_digest(self):
        return hashlib.sha256(self.config.read_bytes()).digest()

    @property
    def header_digest(self):
        return bytes.fromhex(self.record["headerDigest"])

    @property
    def host_data(self):
        return base64.b64encode(self.config_digest).decode()

    @property
    def disk_key(self):
        return disk_key(self.enrolment)


class World:
    """One story's folder, and everything that was started in it."""

    def __init__(self, name, directory=None):
        self.directory = directory or paths.RUN / name
        owner.remove(self.directory)
        self.seconds = {}
        self.started = time.monotonic()
        self._running = []
        self._parts = 0
        self.processor = psp.identity("milan", "--product", PRODUCT)
        # Resolved now, so that a guest built meanwhile does not mix with this one.
        self.launch = ((paths.GUEST / "vmlinuz").resolve(), (paths.GUEST / "initrd.img").resolve(),
                       machine.COMMAND_LINE)
        self.broker = self.new_broker()

    def new_broker(self, directory=None):
        """A broker that trusts the simulated processor's vendor."""
        return self.keep(owner.Broker(
            directory or self.directory, [self.root_of(self.processor, "simulated root")]))

    def keep(self, thing):
        self._running.append(thing)
        return thing

    def folder(self, kind):
        self._parts += 1
        folder = self.directory / f"{self._parts}-{kind}"
        folder.mkdir()
        return folder

    @staticmethod
    def root_of(processor, name):
        state = psp.state(processor)
        return name, state["product"], state["root_spki_sha256"]

    def proxy(self):
        """The network between the VM and the broker, in the scenario's hands."""
        return self.keep(Proxy(owner.free_port(), self.broker.port))

    def policy(self, name="web", extra="", **minimum):
        """A policy file that knows the lab's image as it is started here; `extra` is appended."""
        path = self.directory / f"{name}.toml"
        path.write_text(POLICY.format(
            name=name, product=PRODUCT, measurement=psp.measure(*self.launch),
            tcb=psp.state(self.processor)["tcb"] | minimum) + extra)
        return path

    def enroll(self, name="web-1", ports=None, policy=None, disk=None, passphrase=None, image="root"):
        """Enrols a VM, with a copy of the lab's `image` unless `disk` is given; starts the broker."""
        if not self.broker.program:
            self.broker.start()
        folder = self.folder(name)
        disk = disk or machine.copy_disk(paths.GUEST / f"{image}.luks", folder / "disk.img")
        reader, writer = os.pipe()
        os.write(writer, passphrase or (paths.GUEST / f"{image}.passphrase").read_bytes())
        os.close(writer)
        brokers = []
        for port in ports or [self.broker.port]:
            address = port if isinstance(port, str) else f"10.0.2.2:{port}"
            brokers += ["--broker", address]
        try:
            self.broker.owner(
                "vm", "enroll", name, "--policy", policy or self.policy(), "--disk", disk,
                *brokers, "--passphrase-fd", str(reader), "--directory", folder,
                tapped=True, pass_fds=[reader])
        finally:
            os.close(reader)
        return VM(
            name, disk, folder / "gate.conf", self.broker.owner("vm", "show", name),
            self.broker.tap.enrolments()[name])

    def power_on(self, vm, *, config=None, host_data=None, initrd=None, disks=None,
                 processor=None, faults=(), chip=None, **options):
        """Starts the VM as its owner would, but for what the arguments change.

        `chip` is a processor that was launched already, in place of the story's own.
        """
        kernel, image, command_line = self.launch
        launch = (kernel, initrd or image, command_line)
        folder = self.folder("boot")
        chip = chip or self.keep(psp.Processor(
            folder, processor or self.processor, host_data or vm.host_data, launch, faults))
        guest = machine.Guest(
            folder, launch, disks or [vm.disk], chip.mailbox, config or vm.config, **options)
        self.keep(guest)
        guest.processor = chip
        return guest

    def processor_for(self, vm, host_data=None, faults=(), launch=None):
        """A processor that launched the genuine image, without the VM: for attackers' clients."""
        return self.keep(psp.Processor(
            self.folder("chip"), self.processor, host_data or vm.host_data, launch or self.launch,
            faults))

    def use_initramfs(self, name):
        """Another initramfs of the guest, for policies and launches from here on."""
        kernel, _, command_line = self.launch
        self.launch = (kernel, (paths.GUEST / name).resolve(), command_line)

    def append(self, words):
        """More words on the kernel's command line, for policies and launches from here on."""
        kernel, image, command_line = self.launch
        self.launch = (kernel, image, f"{command_line} {words}")

    def guests(self):
        return [thing for thing in self._running if isinstance(thing, machine.Guest)]

    def mark(self, name, seconds):
        if seconds is not None:
            self.seconds[name] = round(seconds, 1)

    def close(self):
        for thing in reversed(self._running):
            thing.stop()

    def secrets(self, vm):
        """{what it is: bytes} of everything that must never be seen."""
        found = {
            "disk key": vm.disk_key,
            "proof key": base64.b64decode(vm.enrolment["proofKey"]),
            "volume key": (paths.GUEST / "root.vk").read_bytes(),
            "half of the volume key": (paths.GUEST / "root.vk").read_bytes()[:32],
            "owner's passphrase": (paths.GUEST / "root.passphrase").read_bytes(),
        }
        for path in self.broker.home.rglob("*"):
            if path.name.startswith("wrapping") and path.is_file():
                found["wrapping key"] = path.read_bytes()
        return found


def expect(condition, text):
    if not condition:
        raise Failure(text)
