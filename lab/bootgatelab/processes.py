"""Programs the lab starts: logged up to a cap, ended by their own process id."""
import os
import resource
import subprocess
import threading
import time

LOG_CAP = 5 << 20


class Failure(Exception):
    """The story did not hold; the text says what was expected and what came."""


def wait_until(condition, seconds, what):
    """The first true value of `condition()`, polled; fails with `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise Failure(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.05)


class Program:
    """A running program whose output goes to a file, line by line, at most LOG_CAP bytes."""

    def __init__(self, argv, log, on_line=None, **options):
        self.name = os.path.basename(str(argv[0]))
        self.log = log
        self.lines = []
        self.started = time.monotonic()
        self._on_line = on_line
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [str(part) for part in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, **options)
        self.pid = self._process.pid
        self._pump = threading.Thread(target=self._copy, daemon=True)
        self._pump.start()

    def _copy(self):
        written = 0
        with open(self.log, "ab") as file:
            for raw in self._process.stdout:
                if written < LOG_CAP:
                    file.write(raw)
                    file.flush()
                    written += len(raw)
                    line = raw.decode("utf-8", "replace").replace("\r", "").rstrip("\n")
                    with self._changed:
                        self.lines.append((time.monotonic() - self.started, line))
                        self._changed.notify_all()
                    if self._on_line:
                        self._on_line(line)
        with self._changed:
            self._changed.notify_all()

    @property
    def running(self):
        return self._process.poll() is None

    @property
    def text(self):
        with self._changed:
            return "\n".join(line for _, line in self.lines)

    def find(self, pattern):
        """(seconds since the start, match) of the first line that `pattern` matches, or None."""
        with self._changed:
            for seconds, line in self.lines:
                if found := pattern.search(line):
                    return seconds, found
        return None

    def wait(self, seconds):
        """The exit status, or a failure when it does not end in time."""
        try:
            status = self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {seconds:g} s") from None
        self._pump.join(5)
        return status

    def drain(self):
        """Waits for the last lines of a program that has ended."""
        self._pump.join(60)

    def signal(self, number):
        if self.running:
            self._process.send_signal(number)

    def stop(self):
        """Ends it: politely, then not."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._pump.join(2)


def allow_core_files():
    """For a child about to run: whatever limits core files now is the program's own doing."""
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def run(argv, **options):
    """The output of a program that must succeed."""
    done = subprocess.run(
        [str(part) for part in argv], capture_output=True, text=True, timeout=120, check=False,
        **options)
    if done.returncode != 0:
        raise Failure(
            f"{os.path.basename(str(argv[0]))} {argv[1]}: exit {done.returncode}: "
            f"{(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
