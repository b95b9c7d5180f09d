"""A reboot shows, and passes only where somebody expected it and the gate saw it."""
from ..runtime import Running, enroll
from ..stories import expect, scenario


def report_after_boot(running, known):
    """The report that the agent sends by itself as it starts."""
    running.wait_for_agent()
    return running.next_report(known)


@scenario("runtime-reboot", "a reboot fails without a ticket and passes with one", group="runtime")
def runtime_reboot(world):
    vm = enroll(world)
    first = Running(world, vm)
    first.wait_for_agent()
    snapshot = first.snapshot()
    first.trusted(snapshot)
    row = first.report()
    expect(row["verdict"] == "trusted", f"{row['reference']} is {row['verdict']} by {row['refusedChecks']}")
    known = {one["reference"] for one in first.reports()}
    first.power_off()

    second = Running(world, vm, first.tpm.state)
    unexpected = report_after_boot(second, known)
    expect(unexpected["verdict"] == "failed" and unexpected["refusedChecks"] == ["reboot"],
           f"{unexpected['reference']} is {unexpected['verdict']} by {unexpected['refusedChecks']}")
    second.refused(snapshot, "reboot", what="a reboot without a ticket")
    known = {one["reference"] for one in second.reports()}
    second.power_off()

    world.broker.owner("vm", "resume", vm.name, "--reason", "somebody tripped over a cable")
    record = world.broker.owner("vm", "expect-reboot", vm.name, "--reason", "new kernel")
    expect(record["ticket"], "no ticket was given")
    third = Running(world, vm, first.tpm.state)
    expected = report_after_boot(third, known)
    expect(expected["verdict"] == "trusted",
           f"{expected['reference']} is {expected['verdict']} by {expected['refusedChecks']}")
    state = third.state()
    expect(state["state"] == "trusted" and not state.get("ticket"), f"the broker says {state}")
    third.trusted(snapshot, what="the expected boot")
    return (f"{unexpected['reference']} failed by reboot alone, {expected['reference']} trusted with a ticket, "
            "which is spent")
