"""What becomes of a VM in which something else is executed."""
from ..runtime import Running, enroll, problem
from ..stories import expect, refused_only_for, scenario, stopped_by_gate

SETUP = """
cp /usr/bin/true /usr/local/bin/tool
printf 'exit 0\\n' >/usr/local/lib/job.sh
chown bootgate-measured /usr/local/lib/job.sh
/usr/local/bin/tool
sh /usr/local/lib/job.sh
"""


def named(running, answer, path):
    """The log's entry for a file is told by path and digest."""
    found = problem(answer, path)
    digest = running.digest(path)
    expect(digest in found["digest"], f"{path}: expected the digest {digest}: {found}")
    return found


@scenario("runtime-changes", "what is executed and not in the snapshot fails the VM and its next launch",
          group="runtime")
def runtime_changes(world):
    vm = enroll(world)
    running = Running(world, vm)
    running.wait_for_agent()
    running.shell.run(SETUP)
    snapshot = running.snapshot()
    running.trusted(snapshot)
    first = running.report()
    expect(first["verdict"] == "trusted", f"{first['reference']} is {first['verdict']}")

    # Replaced, and not run: there is nothing for the kernel to have seen.
    running.shell.run("cp /usr/bin/false /usr/local/bin/new && mv /usr/local/bin/new /usr/local/bin/tool")
    running.trusted(snapshot, what="a file replaced but not run")
    running.shell.ask("/usr/local/bin/tool")
    named(running, running.refused(snapshot, "snapshot", what="the replaced file, run"), "/usr/local/bin/tool")

    running.shell.run("cp /usr/bin/true /opt/miner; printf x >>/opt/miner; /opt/miner")
    answer = running.refused(snapshot, "snapshot", what="a new binary")
    named(running, answer, "/opt/miner")
    expect(answer["time"] and not answer["time"].startswith("1970"), f"the time is {answer['time']}")
    running.shell.run("printf 'exit 0 # changed\\n' >/usr/local/lib/job.sh; sh /usr/local/lib/job.sh")
    named(running, running.refused(snapshot, "snapshot", what="a changed script"), "/usr/local/lib/job.sh")

    row = running.report()
    expect(row["verdict"] == "failed" and row["refusedChecks"] == ["snapshot"],
           f"{row['reference']} is {row['verdict']} by {row['refusedChecks']}")
    for path in ("/usr/local/bin/tool", "/opt/miner", "/usr/local/lib/job.sh"):
        named(running, row, path)
    expect(running.state()["state"] == "failed", f"the broker says {running.state()['state']}")
    running.power_off()

    refused = world.power_on(vm)
    stopped_by_gate(world, refused)
    launch, _ = refused_only_for(world, "runtime state")
    refused.stop()
    world.broker.owner("vm", "resume", vm.name, "--reason", "the story goes on")
    second = world.power_on(vm)
    world.mark("second multi-user", second.wait_multi_user())
    unlocked = world.broker.launches(outcome="unlocked")
    expect(len(unlocked) == 2, f"the ledger has {len(unlocked)} unlocked launches")
    return (f"replaced but not run: trusted; run, new binary, changed script: refused by path and digest; "
            f"{row['reference']} failed, {launch['reference']} refused by runtime state, resumed and booted")
