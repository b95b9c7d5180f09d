"""What checking an IMA log costs, beside the same job in C and beside Keylime, on the same logs in one run."""

import os
import re
import sys

from . import BENCH, ROOT, WORK, Unavailable, compiled, line, median, run
from .verify import built, pinned

ROUNDS = 5
SECONDS = "1"
SHORT, LONG = 100_000, 1_000_000


def speed():
    log, limit, program = generated(SHORT), compiled("j_ima_limit.c", "-march=native", "-lcrypto"), built()
    keylime, missing = found_keylime()
    ours, c, theirs = [], [], []
    for _ in range(ROUNDS):
        ours.append(SHORT / float(pinned(program, "ima-full", log, SECONDS)) * 1e6)
        c.append(number(pinned(limit, log, 3), r"mode 3 .* -> (\d+) entries"))
        if keylime:
            theirs.append(number(keylime(log, 1), r"-> (\d+) entries"))
    yield compared("C, full job", ours, c, ">= 0.75", 0.75)
    if not keylime:
        raise Unavailable(missing)
    yield compared("Keylime", ours, theirs, ">= 10", 10)


def compared(peer, ours, theirs, reach, least):
    ratio = median(mine / other for mine, other in zip(ours, theirs))
    return line(6, f"IMA log of {SHORT} entries with snapshot, entries per CPU second", f"{median(ours):.0f}",
                f"{peer}: {median(theirs):.0f}", round(ratio, 3), reach, ratio >= least)


def memory():
    short, long, program = generated(SHORT), generated(LONG), built()
    keylime, missing = found_keylime()

    def peak(log, table):
        return float(pinned(program, "ima-memory", log, table))

    small, large = peak(short, short), peak(long, short)
    ratio = large / small
    yield line(7, f"IMA, peak RSS for {LONG} entries, snapshot of {SHORT} files", f"{large:.1f} MiB",
               f"{SHORT} entries, the same snapshot: {small:.1f} MiB", round(ratio, 3), "<= 1.02",
               ratio <= 1.02)
    whole = peak(long, long)
    if not keylime:
        raise Unavailable(missing)
    theirs = number(keylime(long, 1), r"peak (\d+) MiB")
    ratio = whole / theirs
    yield line(7, f"IMA, peak RSS for {LONG} entries, snapshot of as many files", f"{whole:.1f} MiB",
               f"Keylime: {theirs:.0f} MiB", round(ratio, 3), "<= 0.25", ratio <= 0.25)


def increment():
    log, program = generated(SHORT), built()
    new, full = [], []
    for _ in range(ROUNDS):
        new.append(float(pinned(program, "ima-increment", log, "0.2")))
        full.append(float(pinned(program, "ima-full", log, SECONDS)))
    ratio = median(some / every for some, every in zip(new, full))
    yield line(8, f"IMA, 100 new entries behind {SHORT}, CPU time of one", f"{median(new):.0f} us",
               f"own full check: {median(full) / 1e3:.1f} ms", round(ratio, 5), "<= 0.002", ratio <= 0.002)


def generated(count):
    """What the names of a made log's files have in common; `.snapshot` beside them has all its files."""
    generator = BENCH / "c_gen_ima.py"
    if not generator.exists():
        raise Unavailable(f"no {generator.name} in {BENCH}; set BOOTGATE_BENCH")
    folder = WORK / "ima"
    base = folder / f"ima-{count}-ima-ng"
    snapshot = folder / f"{base.name}.snapshot"
    if not snapshot.exists():
        run(sys.executable, generator, count, folder)
        part = snapshot.with_suffix(".part")
        write_snapshot(f"{base}.log", part)
        part.rename(snapshot)
    return base


def write_snapshot(log, path):
    """As the agent writes it, as far as the files go; docs/runtime.md, "The snapshot"."""
    start = '{"cloud_type":null,"tee_policy":null,"tpm_policy":null,"filehashes":['
    with open(log, encoding="ascii") as entries, open(path, "w", encoding="ascii") as out:
        for entry in entries:
            words = entry.split()
            out.write(f'{start}["{words[4]}","{words[3].removeprefix("sha256:")}"]')
            start = ","
        out.write("]}\n")


def found_keylime():
    """Runs Keylime on a log, or nothing and the reason."""
    python = ROOT / ".lab" / "keylime" / "bin" / "python"
    bench = BENCH / "c_keylime_bench.py"
    if not bench.exists():
        return None, f"no {bench.name} in {BENCH}; set BOOTGATE_BENCH"
    if not python.exists():
        return None, ("no Keylime in .lab/keylime: /usr/bin/python3 -m venv .lab/keylime && "
                      ".lab/keylime/bin/pip install keylime==7.14.3 cryptography pyyaml jsonschema lark packaging")
    # Keylime wants this module when it starts, and nothing of it for a log.
    stub = WORK / "keylime-stub"
    stub.mkdir(parents=True, exist_ok=True)
    (stub / "gpg.py").write_text("")
    environment = dict(os.environ, PYTHONPATH=str(stub))
    return (lambda log, runs: pinned(python, bench, log, runs, env=environment)), None


def number(text, pattern):
    match = re.search(pattern, text)
    if not match:
        raise Unavailable(f"no `{pattern}` in {text.strip()[-200:]!r}")
    return float(match[1])
