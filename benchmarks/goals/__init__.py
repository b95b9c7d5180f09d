"""What the measures share: where things are, how a line looks, how a process's cost is read."""

import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / ".build" / "release"
BENCH = pathlib.Path(os.environ.get("BOOTGATE_BENCH", ROOT / "../shared/bench")).resolve()
WORK = ROOT / ".lab" / "bench"


class Unavailable(Exception):
    """Something that the measure needs is not on this machine; the text says what to do."""


def line(goal, measure, value, against=None, ratio=None, reach=None, ok=None):
    return {"goal": goal, "measure": measure, "value": value, "against": against,
            "ratio": ratio, "reach": reach, "ok": ok}


def program(name):
    path = BIN / name
    if not path.exists():
        raise Unavailable(f"{path} is missing; run tools/build-release")
    return str(path)


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, **options)
    if done.returncode != 0:
        raise Unavailable(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def compiled(source, *flags):
    """Builds one of the limit programs and returns its path."""
    path = BENCH / source
    if not path.exists():
        raise Unavailable(f"no {source} in {BENCH}; set BOOTGATE_BENCH")
    out = WORK / path.stem
    WORK.mkdir(parents=True, exist_ok=True)
    run("gcc", "-O2", "-w", "-o", out, path, *flags)
    return out


def cpu_seconds(pid):
    """User and system time of a running process, in seconds."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    for row in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmRSS:"):
            return int(row.split()[1]) / 1024
    raise Unavailable(f"process {pid} has no VmRSS")


median = statistics.median
