"""What verifying evidence costs, beside the same cryptography in C with nothing around it."""

import re

from . import BENCH, ROOT, Unavailable, compiled, line, median, run

RUNS = 15
SECONDS = "0.15"
PACKAGE = ROOT / "benchmarks" / "verify"

# go-sev-guest needed 1.28 ms for what the C limit did in 1.168 ms, on one machine in one run.
GO_SEV_GUEST = 1.28 / 1.168


def snp():
    ours, limit = figures(["snp-full", "snp-cached"], ["SNP: + parse chain"])
    peer = [GO_SEV_GUEST * us for us in limit["SNP: + parse chain"]]
    for name, words, reach in (
        ("snp-full", "SNP, nothing cached", 1.0),
        ("snp-cached", "SNP, chain cached", 2.4),
    ):
        ratio = median(them / us for them, us in zip(peer, ours[name]))
        yield line(4, f"{words}, CPU time of one", f"{median(ours[name]):.0f} us",
                   f"go-sev-guest, from the C limit of this run: {median(peer):.0f} us",
                   round(ratio, 3), f">= {reach}", ratio >= reach)


def figures(measures, rows):
    """Microseconds by measure, and by row of the limit program; one number of each per run."""
    limit = compiled("a_attest_limit.c", "-lssl", "-lcrypto")
    data = BENCH / "data"
    if not data.is_dir():
        raise Unavailable(f"no evidence in {data}")
    program = built()
    ours = {name: [] for name in measures}
    limits = {row: [] for row in rows}
    for _ in range(RUNS):
        for name in measures:
            ours[name].append(float(pinned(program, name, data, SECONDS)))
        text = pinned(limit, data, "1", SECONDS)
        for row in rows:
            limits[row].append(microseconds(text, row))
    return ours, limits


def built():
    run("swift", "build", "-c", "release", "--package-path", PACKAGE)
    path = run("swift", "build", "-c", "release", "--package-path", PACKAGE, "--show-bin-path")
    return f"{path.strip()}/verify"


def pinned(*command):
    return run("taskset", "-c", "0", *command)


def microseconds(text, row):
    for candidate in text.splitlines():
        if candidate.strip().startswith(row):
            return float(re.search(r"med +([\d.]+) us", candidate).group(1))
    raise Unavailable(f"the limit program has no row `{row}`")
