"""What a snapshot costs, beside `openssl dgst -sha256` over the same files in the same run."""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile

from . import ROOT, Unavailable, line, run

PACKAGE = ROOT / "benchmarks" / "snapshot"
SMALL, FOLDERS = 500_000, 1000
BIG, BIG_SIZE = 40, 50 * 1024 * 1024


def small_files():
    """Half a million files: memory, and the cost of a file beside that of its bytes."""
    with Tree() as tree:
        for folder in range(FOLDERS):
            place = tree.files / f"{folder:04}"
            place.mkdir()
            for number in range(SMALL // FOLDERS):
                (place / f"some-file-of-a-package-{number:05}.txt").write_bytes(
                    b"%d %d " % (folder, number) * 40)
        ours, theirs, made = compared(tree)
        yield line(None, "snapshot of 500 000 files, resident at most", f"{ours.resident:.1f} MiB",
                   None, None, "< 64", ours.resident < 64)
        yield line(None, "snapshot of 500 000 files, CPU time", f"{ours.cpu:.2f} s",
                   f"xargs openssl dgst -sha256: {theirs.cpu:.2f} s",
                   round(ours.cpu / theirs.cpu, 2), "-")
        reading = measured(program(), "read", tree.own / "tmp" / "snapshot.json")
        yield line(None, f"reading a snapshot of 500 000 files ({made['size'] / 1e6:.0f} MB), CPU time",
                   f"{reading.cpu:.2f} s, {reading.resident:.0f} MiB resident", None, None, "< 2 s",
                   reading.cpu < 2)


def big_files():
    """2 GB in files of 50 MB: what hashing costs where nothing else counts."""
    with Tree() as tree:
        part = random.Random(1).randbytes(1 << 20)
        for number in range(BIG):
            with (tree.files / f"{number}").open("wb") as file:
                for _ in range(BIG_SIZE >> 20):
                    file.write(part)
        ours, theirs, made = compared(tree)
        ratio = ours.cpu / theirs.cpu
        yield line(None, f"hashing {made['bytes'] / 1e9:.1f} GB, CPU time", f"{ours.cpu:.2f} s",
                   f"openssl dgst -sha256: {theirs.cpu:.2f} s", round(ratio, 2), "<= 1.3",
                   ratio <= 1.3)


class Tree:
    """Files to make a snapshot of, and a folder for it; gone afterwards."""

    def __enter__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bootgate-snapshot-"))
        self.files, self.own = self.root / "files", self.root / "own"
        self.files.mkdir()
        self.own.mkdir()
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.root)


class measured:  # noqa: N801, used like a function
    """Runs a command to its end: its output, its and its children's CPU seconds, its peak in MiB."""

    def __init__(self, *command, shell=False):
        with tempfile.TemporaryFile("w+") as out:
            command = command[0] if shell else [str(part) for part in command]
            process = subprocess.Popen(command, stdout=out, shell=shell)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            self.output = out.read(200)
        if process.returncode != 0:
            raise Unavailable(f"{command} ended with {process.returncode}")
        self.cpu = usage.ru_utime + usage.ru_stime
        self.resident = usage.ru_maxrss / 1024


def program():
    path = PACKAGE / ".build" / "release" / "snapshot"
    if not path.exists():
        run("swift", "build", "-c", "release", cwd=PACKAGE)
    return path


def compared(tree):
    """Ours and OpenSSL's, from warm caches, the better of two runs each."""
    if not shutil.which("openssl"):
        raise Unavailable("no openssl")
    tool = program()
    hashing = f"find {tree.files} -type f -print0 | xargs -0 openssl dgst -sha256 > /dev/null"
    ours, theirs = [], []
    for _ in range(2):
        theirs.append(measured(hashing, shell=True))
        ours.append(measured(tool, "make", tree.files, tree.own))
    made = ours[-1].output.split()
    if made[0] != "files":
        raise Unavailable(ours[-1].output.strip())
    numbers = dict(zip(made[::2], map(int, made[1::2])))
    return min(ours, key=lambda run: run.cpu), min(theirs, key=lambda run: run.cpu), numbers
