"""What a launch costs in the VM, beside clevis, the tool that people use for it today."""

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time

from . import ROOT, WORK, Unavailable, line, median, program, run
from .broker import enrolled

sys.path.insert(0, str(ROOT / "lab"))
from bootgatelab import rehearsal  # noqa: E402

ROUNDS = 9


def cost(argv, **options):
    """(CPU, wall) seconds of a command and all that it starts."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run([str(part) for part in argv], capture_output=True, check=False, **options)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise Unavailable(f"{argv[0]} ended with {done.returncode}: {done.stderr[-200:]!r}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


class Tang:
    """A tang server behind socat, and a secret that clevis bound to it."""

    def __init__(self):
        tangd = next((path for path in ("/usr/libexec/tangd", "/usr/lib/x86_64-linux-gnu/tangd")
                      if os.path.exists(path)), None)
        for tool in ("clevis", "socat"):
            if not shutil.which(tool) or not tangd:
                raise Unavailable("needs clevis, tang and socat: apt-get install clevis tang socat")
        keys = WORK / "tang"
        shutil.rmtree(keys, ignore_errors=True)
        keys.mkdir(parents=True)
        run(os.path.join(os.path.dirname(tangd), "tangd-keygen"), keys)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.server = subprocess.Popen(
            ["socat", f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr", f"EXEC:{tangd} {keys}"],
            stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        self.sealed = run(
            "clevis", "encrypt", "tang", json.dumps({"url": f"http://127.0.0.1:{port}"}), "-y",
            input="0123456789abcdef0123456789abcdef")

    def decrypt(self):
        return cost(["clevis", "decrypt"], input=self.sealed.encode())

    def stop(self):
        self.server.terminate()
        self.server.wait()


def against_clevis():
    tang = Tang()
    try:
        with enrolled("agent") as (world, vm):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                here = rehearsal.platform(world, vm)
                report = here.tree.parent / "report.json"
                ours.append(cost(rehearsal.command(vm, here.tree, report)))
                here.stop()
                theirs.append(tang.decrypt())
    finally:
        tang.stop()
    for index, name in enumerate(("CPU", "wall")):
        mine, clevis = median([x[index] for x in ours]), median([x[index] for x in theirs])
        ratio = mine / clevis
        yield line(9, f"agent, a whole loopback launch with its keyslot opened, {name}",
                   f"{mine * 1e3:.1f} ms", f"clevis decrypt {clevis * 1e3:.1f} ms", round(ratio, 3),
                   "<= 0.2", ratio <= 0.2)


def resident():
    with enrolled("agent-rss") as (world, vm):
        report = rehearsal.launch(world, vm)
    yield line(None, "agent, peak RSS of a launch", f"{report['peak_resident_kib'] / 1024:.1f} MiB")
    steps = ", ".join(f"{name} {value:.1f}" for name, value in report["milliseconds"].items())
    yield line(None, "agent, milliseconds of each step on this host", steps)


def boot_time():
    program("bootgate-initramfs")
    text = subprocess.run(
        [ROOT / "lab" / "scenario", "genuine-boot", "--json"], capture_output=True, text=True,
        check=False).stdout
    story = json.loads(text.splitlines()[-1]) if text.strip() else {"ok": False, "reason": "no output"}
    if not story["ok"]:
        raise Unavailable(f"genuine-boot: {story['reason']}")
    seconds = story["seconds"]
    if "gate" not in seconds:
        raise Unavailable("genuine-boot told no seconds between the agent's start and root")
    yield line(None, "added boot time under emulation, agent start to root mapped, without network wait",
               f"{seconds['gate']:.2f} s")
