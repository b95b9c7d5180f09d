"""The owner's side: a broker of its own for every story, driven by `bootgate`."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess

from . import paths
from .processes import Failure, Program, allow_core_files, run, wait_until
from .tap import Tap

BROKER = paths.BIN / "bootgate-broker"
OWNER = paths.BIN / "bootgate"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """`bootgate-broker` in a folder of its own; may be stopped, killed and started again."""

    def __init__(self, directory, roots):
        self.home = directory / "broker"
        self.home.mkdir()
        self.port = free_port()
        self.socket = self.home / "admin.sock"
        self.log = directory / "broker.log"
        self.program = None
        self.tap = None
        self._tap_socket = self.home / "tap.sock"
        self.config = self.home / "broker.toml"
        run([OWNER, "init", "--directory", self.home, "--listen", f"127.0.0.1:{self.port}",
             "--health", f"127.0.0.1:{free_port()}", "--socket", self.socket])
        text = self.config.read_text()
        # Stories freeze guests and hold messages for longer than a real network would.
        text = text.replace("[admin]", "deadline_seconds = 600\n\n[admin]")
        self.config.write_text(text)
        self.endorsements = self.home / "state/endorsements"
        for root in roots:
            self.trust(*root)

    def trust(self, name, product, digest):
        """A root beside the vendors'; before the broker starts."""
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(f'\n[[trust.root]]\nname = "{name}"\nproduct = "{product}"\n'
                       f'spki_sha256 = "{digest}"\n')

    def ask_vendors(self, online, amd, intel):
        """Whether and where missing endorsements are asked for; before the broker starts."""
        settings = (f'online = {str(online).lower()}\namd_url = "{amd}"\nintel_url = "{intel}"\n'
                    'proxy = "none"\n')
        text, count = re.subn(
            r'^online = .*\n((amd_url|intel_url|proxy) = .*\n)*', settings,
            self.config.read_text(), flags=re.M)
        assert count == 1
        self.config.write_text(text)

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.program = Program(
            [BROKER, "--config", self.config], self.log, cwd=self.home,
            preexec_fn=allow_core_files)
        wait_until(
            lambda: self._answers() or not self.program.running, 20, "the broker's admin socket")
        if not self.program.running:
            raise Failure(f"the broker did not start: {self.program.text.strip()[-400:]}")
        return self

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket))
            except OSError:
                return False
        return True

    def kill(self):
        """As a power failure would."""
        self.program.signal(signal.SIGKILL)
        self.program.wait(10)

    def stop_program(self):
        """Ends the broker, to be started again."""
        if self.program:
            self.program.stop()

    def stop(self):
        if self.tap:
            self.tap.stop()
        self.stop_program()

    def owner(self, *arguments, tapped=False, **options):
        """The JSON that `bootgate ... --json` prints; exit 1 is an answer too."""
        if tapped and not self.tap:
            self.tap = Tap(self._tap_socket, self.socket)
        _, answer = self.ask(*arguments, door=self._tap_socket if tapped else self.socket, **options)
        return answer

    def ask(self, *arguments, door=None, token=None, **options):
        """(exit code, JSON) of `bootgate ... --json`; the code is 0 or 1."""
        argv = [OWNER, *arguments, "--socket", door or self.socket, "--json"]
        # The owner's key for snapshots belongs to the story, too.
        environment = os.environ | {"XDG_CONFIG_HOME": str(self.home)}
        if token:
            environment["BOOTGATE_TOKEN_FILE"] = str(token)
        done = subprocess.run(
            [str(part) for part in argv], capture_output=True, text=True, timeout=300,
            check=False, env=environment, **options)
        if done.returncode not in (0, 1):
            raise Failure(
                f"bootgate {' '.join(str(part) for part in arguments)}: exit {done.returncode}: "
                f"{(done.stderr or done.stdout).strip()[-400:]}")
        return done.returncode, json.loads(done.stdout) if done.stdout.strip() else {}

    def put(self, path, body):
        """What the owner's tool would not do: any body to the admin API."""
        run(["curl", "-fsS", "--unix-socket", self.socket, "-X", "PUT", "-H",
             "Content-Type: application/json", "--data-binary", "@-", f"http://broker{path}"],
            input=json.dumps(body))

    def register(self, vm, snapshot):
        """Registers the bytes of a snapshot that no `bootgate snapshot` has taken."""
        path = self.home / "made-up.snapshot"
        path.write_bytes(snapshot)
        run(["curl", "-fsS", "--unix-socket", self.socket, "-T", path,
             f"http://broker/v1/vms/{vm}/snapshot"])

    def launches(self, **wanted):
        """The ledger, newest first; keywords are fields a row must have."""
        rows = self.owner("launches")["launches"]
        return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]

    def findings(self, reference):
        """{check: finding} of one launch."""
        return {finding["check"]: finding
                for finding in self.owner("why", reference).get("findings") or []}


def remove(directory):
    if directory.exists():
        shutil.rmtree(directory)
    os.makedirs(directory)
