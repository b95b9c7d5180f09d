"""No secret is ever told."""
import pathlib
import signal

from .. import rehearsal
from ..memory import traces
from ..processes import Failure, Program, allow_core_files, wait_until
from ..stories import boots, expect, scenario


def of_process(program):
    """What the process list and a crash handler could learn of a running program."""
    home = pathlib.Path("/proc") / str(program.pid)
    return (home / "cmdline").read_bytes() + (home / "environ").read_bytes()


def crash(program, folder):
    """Makes a program dump core; the core files that came of it."""
    program.signal(signal.SIGABRT)
    program.wait(20)
    return [path for path in folder.glob("core*") if path.is_file()]


def control_core(folder):
    """Whether core files are possible here: one of a program that does not forbid them."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8")
    if pattern.startswith(("|", "/")):
        return False
    folder.mkdir()
    program = Program(["sleep", "60"], folder / "log", cwd=folder, preexec_fn=allow_core_files)
    if not crash(program, folder):
        raise Failure("no core file of the control")
    return True


def crashed_agent(world, vm, proxy):
    """What a crash of the agent leaves, while it holds the ephemeral private key."""
    hold = proxy.hold("release")
    here = rehearsal.platform(world, vm)
    folder = world.folder("agent")
    agent = world.keep(Program(
        rehearsal.command(vm, here.tree, folder / "report.json"), folder / "agent.log",
        cwd=folder, preexec_fn=allow_core_files))
    wait_until(lambda: hold.reached.is_set() or not agent.running, 60, "RELEASE on its way")
    expect(agent.running, f"the agent ended early: {agent.text[-200:]}")
    listed = of_process(agent)
    cores = crash(agent, folder)
    hold.drop()
    return {"agent's command line and environment": listed, "agent's output": agent.log.read_bytes()}, cores


@scenario("silence", "no log, list, console or core file shows a secret")
def silence(world):
    vm = world.enroll()
    guest = world.power_on(vm, mode="report")
    boots(world, guest)
    report = guest.report()
    expect(b"=== end" in report and b"bootgate-launch" in report,
           "the guest's report is not complete")
    guest.wait_power_off()
    places = {
        "serial console": guest.console.log.read_bytes(),
        "guest's journal, process list, environments and /run": report,
        "processor's log": guest.processor.program.log.read_bytes(),
    }

    has_cores = control_core(world.directory / "control")
    proxy = world.proxy()
    rehearsed = rehearsal.enroll(world, "web-2", ports=[f"127.0.0.1:{proxy.port}"])
    of_agent, cores = crashed_agent(world, rehearsed, proxy)
    places |= of_agent
    broker = world.broker.program
    places["broker's command line and environment"] = of_process(broker)
    cores += crash(broker, world.broker.home)
    places["broker's log"] = world.broker.log.read_bytes()
    places |= {str(path): path.read_bytes() for path in cores}

    secrets = world.secrets(vm) | {"second disk key": rehearsed.disk_key}
    expect("wrapping key" in secrets, "the wrapping key was not found: nothing to look for")
    for place, data in places.items():
        expect(data, f"{place}: nothing was collected")
        for what, secret in secrets.items():
            found = traces(data, secret)
            expect(not found, f"the {what} is in the {place} ({', '.join(found)})")
    size = sum(len(data) for data in places.values())
    return (f"{len(secrets)} secrets looked for in {size >> 10} KiB of {len(places)} places; "
            f"crashes of agent and broker left {len(cores)} core files"
            + ("" if has_cores else ", NOT CHECKED: this host keeps them elsewhere"))
