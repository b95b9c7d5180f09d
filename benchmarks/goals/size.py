"""How big the agent is, alone and inside an initramfs."""

import shutil
import subprocess

from . import ROOT, WORK, Unavailable, line, program, run

# clevis 19 on Debian's initramfs-tools: growth of a zstd image over the same without it.
CLEVIS_BYTES = 5.94e6


def initramfs():
    done = subprocess.run([ROOT / "benchmarks" / "initramfs-growth"], text=True, capture_output=True)
    if done.returncode != 0:
        raise Unavailable(done.stderr.strip()[-300:])
    base, with_gate = (int(row) for row in done.stdout.split())
    growth = with_gate - base
    ratio = growth / CLEVIS_BYTES
    yield line(10, f"initramfs growth in zstd over {base / 1e6:.2f} MB of base, crypt and network",
               f"{growth / 1e6:.2f} MB", "clevis on initramfs-tools, 5.94 MB", round(ratio, 3), "<= 0.6",
               ratio <= 0.6)


def agent():
    stripped = WORK / "bootgate-initramfs"
    WORK.mkdir(parents=True, exist_ok=True)
    shutil.copy(program("bootgate-initramfs"), stripped)
    run("strip", stripped)
    size = stripped.stat().st_size
    zstd = len(subprocess.run(["zstd", "-19", "-c", stripped], capture_output=True, check=True).stdout)
    yield line(None, "agent binary, stripped", f"{size / 1e6:.2f} MB ({zstd / 1e6:.2f} MB in zstd)")
