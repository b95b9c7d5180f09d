"""The list of scenarios, and the assertions that several of them make."""
import dataclasses
import re
import typing

from .attacker import REFUSED, RELEASE, SNP, Claim
from .guest import AGENT, REPORT_DONE
from .processes import Failure, wait_until
from .world import expect

SCENARIOS = {}


@dataclasses.dataclass
class Scenario:
    name: str
    group: str
    summary: str
    story: typing.Callable


def scenario(name, summary, group="gate"):
    """Registers a story: a function of a World that returns what was observed."""
    def register(story):
        SCENARIOS[name] = Scenario(name, group, summary, story)
        return story
    return register


def only_launch(world, **wanted):
    """The one launch in the ledger that has the wanted fields."""
    rows = wait_until(lambda: world.broker.launches(**wanted), 20, f"a launch with {wanted}")
    expect(len(rows) == 1, f"expected one launch with {wanted}, the ledger has {len(rows)}")
    return rows[0]


def refused_for(world, check, **wanted):
    """The refused launch and its finding for `check`, which must be what refused it."""
    row = only_launch(world, decision="refused", **wanted)
    findings = world.broker.findings(row["reference"])
    finding = findings.get(check)
    expect(finding, f"no finding {check} in {row['reference']}; there are {sorted(findings)}")
    expect(finding["outcome"] == "refused",
           f"expected {check} to refuse {row['reference']}, it says {finding['outcome']}; "
           f"refused by {row['refusedChecks']}")
    expect(finding["expected"] and finding["actual"], f"{check} lacks expected or actual")
    return row, finding


def refused_only_for(world, check, **wanted):
    """As refused_for, where nothing else may have refused."""
    row, finding = refused_for(world, check, **wanted)
    expect(row["refusedChecks"] == [check],
           f"expected {check} alone to refuse, but {row['refusedChecks']} did")
    return row, finding


def presented(world, vm, make, kind=SNP):
    """A client in the VM's name presents what `make(claim)` gives as arguments of ``Claim.present``.

    The type of the broker's answer, and the launch's row in the ledger.
    """
    known = {row["reference"] for row in world.broker.launches()}
    claim = Claim(world.broker.port, vm, kind)
    answer, _ = claim.present(**make(claim))
    claim.close()
    rows = wait_until(
        lambda: [row for row in world.broker.launches() if row["reference"] not in known],
        20, "the launch in the ledger")
    expect(len(rows) == 1, f"expected one new launch, the ledger has {len(rows)}")
    return answer, rows[0]


def refuses(world, vm, make, *checks, kind=SNP, what=""):
    """The broker refuses what a client presents, for exactly these checks; the first one's finding."""
    answer, row = presented(world, vm, make, kind)
    what = what or checks[0]
    expect(answer == REFUSED, f"{what}: expected REFUSED, got frame type {answer}")
    expect(sorted(row["refusedChecks"]) == sorted(checks),
           f"{what}: expected {checks} to refuse, but {row['refusedChecks']} did")
    return world.broker.findings(row["reference"])[checks[0]]


def releases(world, vm, make, kind=SNP, what="the genuine evidence"):
    """The broker releases the key to what a client presents; its row."""
    answer, row = presented(world, vm, make, kind)
    expect(answer == RELEASE, f"{what}: expected RELEASE, got frame type {answer}; "
           f"refused by {row['refusedChecks']}")
    return row


def are_ok(world, row, *checks):
    """Each of these findings is there and ok."""
    findings = world.broker.findings(row["reference"])
    for check in checks:
        outcome = findings.get(check, {}).get("outcome")
        expect(outcome == "ok", f"{check} is {outcome} in {row['reference']}")


def boots(world, guest, minimum_reports=1):
    """The guest comes up through the gate: unlocked in the ledger, root on the agent's node."""
    world.mark("agent", seconds_of(guest, "agent"))
    world.mark("multi-user", guest.wait_multi_user())
    guest.wait_for(REPORT_DONE, "the guest's report")
    row = only_launch(world, outcome="unlocked")
    expect(row["decision"] == "released", f"unlocked, yet {row['decision']}")
    table = guest.seen(r"LAB: root-table (.*)")
    expect(table and " crypt aes-xts-plain64 " in table[1][1],
           f"the root is not on aes-xts: {table and table[1][1]}")
    expect(guest.seen(r"^/dev/mapper/root ext4"), "/ is not /dev/mapper/root")
    asked = len(guest.processor.events("report"))
    expect(asked >= minimum_reports, "the processor was not asked for a report")
    return row


def seconds_of(guest, what):
    return guest.wait_for(AGENT, what)


def stopped_by_gate(world, guest):
    """The agent spoke on the console and the guest powered off from the initramfs."""
    world.mark("agent", seconds_of(guest, "the agent's first line"))
    world.mark("power-off", guest.wait_power_off())
    expect(not guest.seen(r"LAB: "), "the real root was reached")
    return console_lines(guest)


def console_lines(guest):
    """What the agent said on the console."""
    return [line.split("bootgate: ", 1)[1] for _, line in guest.console.lines
            if "bootgate: " in line]


def said(guest, pattern, what):
    """The agent's line that matches, or a failure."""
    found = guest.seen(re.compile(r"bootgate: .*" + pattern, re.IGNORECASE))
    if not found:
        raise Failure(f"the console does not say {what}: {console_lines(guest)[-3:]}")
    return found[1].string.split("bootgate: ", 1)[1]


def no_reference_leak(guest, finding):
    """The console may name the reference, never the finding."""
    for secret in (finding["expected"], finding["actual"]):
        text = str(secret)
        expect(len(text) < 12 or text not in guest.console.text,
               "the console shows the finding")
