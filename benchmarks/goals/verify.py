"""What verifying evidence costs, beside the same cryptography in C with nothing around it."""

import os
import pathlib
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


# go-tdx-guest needed 1.62 ms and Intel's library 6.2 ms, both with collateral, where the C limit took
# 762 us for a quote whose chain nobody had seen, on one machine in one run.
GO_TDX_GUEST = 1.62 / 0.762
INTEL_QVL = 6.2 / 0.762


def tdx():
    vectors = pathlib.Path(
        os.environ.get("BOOTGATE_VECTORS", ROOT.parent / "shared" / "vectors"))
    if not (vectors / "index.json").is_file():
        raise Unavailable(f"no evidence in {vectors}")
    full, cached = "TDX: + parse 3 PEM certs", "TDX: quote+QE report sig"
    ours, limit = figures(["tdx-full", "tdx-chain", "tdx-cached"], [full, cached], vectors)
    for name, words, row in (
        ("tdx-chain", "TDX, new chain, no collateral", full),
        ("tdx-full", "TDX, nothing cached, with collateral", full),
        ("tdx-cached", "TDX, chain and collateral cached", cached),
    ):
        ratio = median(them / us for them, us in zip(limit[row], ours[name]))
        yield line(None, f"{words}, CPU time of one", f"{median(ours[name]):.0f} us",
                   f"C limit of the same run: {median(limit[row]):.0f} us", round(ratio, 3), "-")
    for peer, factor, reach in (
        ("go-tdx-guest", GO_TDX_GUEST, 8), ("Intel's QVL", INTEL_QVL, 30),
    ):
        theirs = [factor * us for us in limit[full]]
        ratio = median(them / us for them, us in zip(theirs, ours["tdx-cached"]))
        yield line(5, "TDX, chain and collateral cached, CPU time of one",
                   f"{median(ours['tdx-cached']):.0f} us",
                   f"{peer}, from the C limit of this run: {median(theirs):.0f} us",
                   round(ratio, 3), f">= {reach}", ratio >= reach)


def figures(measures, rows, evidence=None):
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
            ours[name].append(float(pinned(program, name, evidence or data, SECONDS)))
        text = pinned(limit, data, "1", SECONDS)
        for row in rows:
            limits[row].append(microseconds(text, row))
    return ours, limits


def built():
    run("swift", "build", "-c", "release", "--package-path", PACKAGE)
    path = run("swift", "build", "-c", "release", "--package-path", PACKAGE, "--show-bin-path")
    return f"{path.strip()}/verify"


def pinned(*command, **options):
    return run("taskset", "-c", "0", *command, **options)


def microseconds(text, row):
    for candidate in text.splitlines():
        if candidate.strip().startswith(row):
            return float(re.search(r"med +([\d.]+) us", candidate).group(1))
    raise Unavailable(f"the limit program has no row `{row}`")
