"""A VM after its boot: the IMA policy in its kernel, bootgate-agent in it, its owner at a desk."""
import http.client
import json
import re
import ssl

from . import tpm
from .broker import free_port
from .processes import wait_until
from .shell import Shell
from .stories import expect

# What ima/install puts on a command line.
IMA_WORDS = "ima_policy=tcb ima_hash=sha256 ima_template=ima-sig"
LOG = "/sys/kernel/security/ima/ascii_runtime_measurements"
BINARY_LOG = "/sys/kernel/security/ima/binary_runtime_measurements"
AGENT_PORT = 5555
# As guest/runtime/etc/bootgate/agent.toml has it.
TOKEN = "lab-token-of-no-worth"

POLICY = """
[runtime]
refuse_launch_after_failure = true
"""


def enroll(world, policy=POLICY, **options):
    """An enrolled VM whose initramfs has the IMA policy, and whose root the agent besides."""
    world.use_initramfs("runtime.initrd.img")
    world.append(IMA_WORDS)
    return world.enroll(policy=world.policy(extra=policy), image="runtime", **options)


class Running:
    """One boot of a VM with the agent, root's shell in it, and the port at which its agent answers here."""

    def __init__(self, world, vm, tpm_state=None, **options):
        self.world, self.vm = world, vm
        self.tpm = world.keep(tpm.Device(world.folder("tpm"), tpm_state))
        self.port = free_port()
        self.guest = world.power_on(
            vm, mode="shell", devices=self.tpm.devices, forward={self.port: AGENT_PORT}, **options)
        world.mark("multi-user", self.guest.wait_multi_user())
        self.shell = world.keep(Shell(self.guest))

    # Root in the guest

    def ima_log(self):
        """[(path, digest)] of every entry, in order."""
        return [(fields[4], fields[3]) for line in self.shell.run(f"cat {LOG}").splitlines()
                if len(fields := line.split(" ")) > 4]

    def kernel_says(self, pattern):
        """The lines of the kernel's log that match."""
        found = re.compile(pattern, re.IGNORECASE)
        return [line for line in self.shell.run("dmesg").splitlines() if found.search(line)]

    def digest(self, path):
        """SHA-256 of a file in the guest, in hex."""
        return self.shell.run(f"sha256sum {path}").split()[0]

    # The agent

    def request(self, method, path, token=TOKEN):
        """(status, JSON) of one request to the agent; its certificate is not looked at."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=context)
        try:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        return answer.status, json.loads(body) if body else None

    def answers(self):
        """What `GET /v1/about` says, or None as long as nobody answers."""
        try:
            status, about = self.request("GET", "/v1/about")
        except (OSError, http.client.HTTPException):
            return None
        return about if status == 200 else None

    def wait_for_agent(self):
        about = wait_until(self.answers, 120, "the agent to answer")
        expect(about["hasTPM"] and about["hasIMALog"] and not about["problems"],
               f"the agent has problems: {about}")
        return about

    # The owner

    def _desk(self, port, *arguments):
        """(exit code, JSON) of a command of `bootgate` that speaks with the agent."""
        token = self.world.directory / "token"
        token.write_text(TOKEN)
        return self.world.broker.ask(
            *arguments, "--url", f"https://127.0.0.1:{port or self.port}", "--allow-insecure-tls",
            "--root", self.world.processor / "ark.der", token=token)

    def snapshot(self, *options):
        """Takes a snapshot, signed and registered unless `options` say otherwise; its file."""
        path = self.world.directory / f"{self.vm.name}.snapshot"
        code, answer = self._desk(None, "snapshot", "--output", path, *options)
        expect(code == 0, f"bootgate snapshot: exit {code}: {refusals(answer)}")
        return path

    def end_update(self):
        """(exit code, JSON) of `bootgate update end --yes`; the new snapshot is NAME.after."""
        path = self.world.directory / f"{self.vm.name}.after"
        return self._desk(None, "update", "end", self.vm.name, "--yes", "--output", path)

    def verify(self, snapshot, *arguments, port=None):
        """The JSON of `bootgate verify`, whose exit code has to fit it."""
        code, answer = self._desk(port, "verify", "--snapshot", snapshot, *arguments)
        expect((code == 0) == (answer["verdict"] == "trusted"),
               f"exit {code}, yet the verdict is {answer['verdict']}")
        return answer

    def trusted(self, snapshot, *arguments, what="the genuine VM", **options):
        """As verify, where the VM has to be trusted."""
        answer = self.verify(snapshot, *arguments, **options)
        expect(answer["verdict"] == "trusted", f"{what}: not trusted: {refusals(answer)}")
        return answer

    def refused(self, snapshot, *checks, what="", **options):
        """As verify, where exactly these checks have to refuse."""
        answer = self.verify(snapshot, **options)
        found = {one["check"] for one in answer["findings"] if one["outcome"] == "refused"}
        expect(found == set(checks), f"{what or checks[0]}: expected {checks} to refuse: {refusals(answer)}")
        return answer

    # The broker

    def report(self):
        """Has the agent report once more; the row of the ledger, with its findings."""
        known = {row["reference"] for row in self.reports()}
        self.shell.run("systemctl reload bootgate-agent")
        return self.next_report(known)

    def reports(self):
        return self.world.broker.owner("reports", self.vm.name)["reports"]

    def next_report(self, known=()):
        """The first report that is not among those known."""
        rows = wait_until(
            lambda: [row for row in self.reports() if row["reference"] not in known], 120, "a report")
        return self.world.broker.owner("why", rows[-1]["reference"])

    def state(self):
        """What the broker thinks of the VM."""
        return self.world.broker.owner("vm", "runtime", self.vm.name)

    def power_off(self):
        # Later, so that the shell can still answer.
        self.shell.run("(sleep 5; exec systemctl poweroff) >/dev/null 2>&1 &")
        self.guest.wait_power_off()
        self.guest.stop()


def refusals(answer):
    """What refused, in words, of the JSON of a verification or a report."""
    found = [f"{one['check']}: {one['actual']}" for one in answer.get("findings") or []
             if one["outcome"] == "refused"]
    found += [f"{one['path']}: {one['detail']}" for one in answer.get("problems") or []]
    return "; ".join(found)[:600] or str(answer)[:600]


def problem(answer, path):
    """What the JSON of a verification or a report says of that path."""
    found = [one for one in answer.get("problems") or [] if one["path"] == path]
    expect(found, f"nothing is said of {path}: {refusals(answer)}")
    return found[0]
