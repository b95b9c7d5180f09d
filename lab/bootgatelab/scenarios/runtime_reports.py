"""Reports by a client that bends them: what the broker believes of them, and why."""
import json

from .. import psp
from ..attacker import CLOSE
from ..pretender import Pretender
from ..processes import wait_until
from ..runtime import POLICY
from ..stories import expect, scenario


def judged(world, vm, send):
    """The row of the one report that `send()` makes, with its findings."""
    known = {row["reference"] for row in world.broker.owner("reports", vm.name)["reports"]}
    send()
    rows = wait_until(
        lambda: [row for row in world.broker.owner("reports", vm.name)["reports"]
                 if row["reference"] not in known], 20, "the report in the ledger")
    return world.broker.owner("why", rows[0]["reference"])


@scenario("runtime-reports", "reports with one fault each: another TPM, another key, an old quote, a bent log",
          group="runtime")
def runtime_reports(world):
    vm = world.enroll(policy=world.policy(extra=POLICY))
    port = world.broker.port
    genuine = Pretender(world, vm)
    world.broker.register(vm.name, genuine.snapshot(psp.measure(*world.launch)))

    expect(genuine.launch(port) == CLOSE, "the genuine launch was not unlocked")
    row = judged(world, vm, lambda: genuine.report(port))
    expect(row["verdict"] == "trusted", f"the genuine report is {row['verdict']} by {row['refusedChecks']}")
    _, old = genuine.report(port)

    def bent(count, bend):
        """Lies about the last entries, which no earlier report had."""
        for _ in range(count):
            genuine.execute_next()
        genuine.report(port, log=b"".join(bend(genuine.entries)))

    stranger = Pretender(world, vm, key=b"another attestation key", chip=genuine.chip)
    wrong = {
        "another VM's TPM": (lambda: stranger.report(port), {"same TPM key"}),
        "the evidence of an earlier report": (
            lambda: genuine.report(port, evidence=old), {"binding", "TPM nonce"}),
        "a statement of another key": (
            lambda: genuine.report(port, attestation_key_name=stranger.key[2].hex()), {"same TPM key"}),
        "a log that was cut": (
            lambda: bent(1, lambda entries: entries[:-1]), {"IMA replay"}),
        "a log in another order": (
            lambda: bent(2, lambda entries: [*entries[:-2], entries[-1], entries[-2]]), {"IMA replay"}),
    }
    verdicts = {}
    for what, (send, checks) in wrong.items():
        row = judged(world, vm, send)
        expect(row["verdict"] in ("failed", "refused") and checks <= set(row["refusedChecks"]),
               f"{what}: {row['verdict']} by {row['refusedChecks']}, expected {sorted(checks)}")
        verdicts[what] = row["verdict"]
        # What is not the VM's own evidence does not make it fail.
        state = world.broker.owner("vm", "runtime", vm.name)["state"]
        expect(state == row["verdict"].replace("refused", "trusted"), f"{what}: the VM is {state}")
        if state == "failed":
            world.broker.owner("vm", "resume", vm.name, "--reason", f"after {what}")
            judged(world, vm, lambda: genuine.report(port))
    genuine.execute("/opt/miner", bytes(32))
    row = judged(world, vm, lambda: genuine.report(port))
    expect(row["refusedChecks"] == ["snapshot"], f"an unknown program: {row['refusedChecks']}")
    return f"{len(wrong) + 1} reports failed, each for its fault: {json.dumps(verdicts)}"
