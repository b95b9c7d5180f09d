"""What a launch costs the broker, and how much memory it takes."""

import contextlib
import json
import os
import re
import subprocess
import sys

from . import BENCH, ROOT, Unavailable, compiled, cpu_seconds, line, median, program, resident_mib

sys.path.insert(0, str(ROOT / "lab"))
from bootgatelab import paths, psp, rehearsal  # noqa: E402
from bootgatelab.world import World  # noqa: E402

LAUNCHES = 1200
GENERATORS = 4
ROUNDS = 3
SERVER_CORE, CLIENT_CORE = 1, 0


@contextlib.contextmanager
def enrolled(name):
    """A broker of its own with one VM that knows a rehearsal's launch."""
    program("bootgate-broker")
    world = World(name, directory=paths.LAB / "bench" / name)
    try:
        yield world, rehearsal.enroll(world)
    finally:
        world.close()


def fleet(world, vm, count):
    """`count` launches by several generators on the client's core; the broker's CPU seconds."""
    argv = [program("bootgate-psp"), "fleet", "--dir", world.processor, "--config", vm.config,
            "--header-digest", vm.header_digest.hex(), "--measurement", psp.measure(*world.launch),
            "--count", str(count // GENERATORS)]
    before = cpu_seconds(world.broker.program.pid)
    running = [
        subprocess.Popen([str(part) for part in argv], stdout=subprocess.PIPE, text=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, {CLIENT_CORE}))
        for _ in range(GENERATORS)]
    answers = [json.loads(process.communicate(timeout=600)[0] or "{}") for process in running]
    spent = cpu_seconds(world.broker.program.pid) - before
    released = sum(answer.get("released", 0) for answer in answers)
    if released != count // GENERATORS * GENERATORS:
        raise Unavailable(f"expected {count} keys released, got {answers}")
    return spent, released


def pin(world):
    for task in os.listdir(f"/proc/{world.broker.program.pid}/task"):
        os.sched_setaffinity(int(task), {SERVER_CORE})


def limit_broker(binary):
    """Launches per core-second of the C program that does nothing but a launch's unavoidable work."""
    environment = dict(os.environ, SC=str(SERVER_CORE), CC=str(CLIENT_CORE))
    text = subprocess.run(
        [binary, BENCH / "data", "19555", str(LAUNCHES), str(GENERATORS), "1"], env=environment,
        capture_output=True, text=True, check=True).stdout
    return float(re.search(r"-> (\d+) per server-cpu-s", text)[1])


def launches():
    binary = compiled("a_limit_broker.c", "-lssl", "-lcrypto")
    ratios, ours, limits = [], [], []
    with enrolled("launches") as (world, vm):
        pin(world)
        fleet(world, vm, 100)
        for _ in range(ROUNDS):
            limits.append(limit_broker(binary))
            spent, count = fleet(world, vm, LAUNCHES)
            ours.append(count / spent)
            ratios.append(ours[-1] / limits[-1])
    ratio = median(ratios)
    yield line(1, "whole SNP launches per core-second of the broker, cached VCEK, durable ledger row",
               f"{median(ours):.0f}", f"limit broker mode 1: {median(limits):.0f}", round(ratio, 3),
               ">= 0.75", ratio >= 0.75)


def memory():
    with enrolled("memory") as (world, vm):
        idle = resident_mib(world.broker.program.pid)
        yield line(11, "broker RSS, idle", f"{idle:.1f} MiB", None, round(idle / 40, 3),
                   "<= 40 MiB", idle <= 40)
        fleet(world, vm, 10_000)
        after = resident_mib(world.broker.program.pid)
        yield line(11, "broker RSS after 10 000 launches", f"{after:.1f} MiB", None,
                   round(after / 80, 3), "<= 80 MiB", after <= 80)
