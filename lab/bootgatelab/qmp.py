"""The QEMU monitor: stop, continue, dump, power off."""
import json
import socket
import threading

from .processes import Failure


class Monitor:
    """One QMP connection; events are collected, commands answered in order."""

    @classmethod
    def connected(cls, path):
        """A connection, or None as long as nobody listens at `path`."""
        attempt = socket.socket(socket.AF_UNIX)
        try:
            attempt.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            attempt.close()
            return None
        return cls(attempt)

    def __init__(self, connection):
        self._socket = connection
        self._file = self._socket.makefile("rb")
        self._lock = threading.Lock()
        self._answers = []
        self._changed = threading.Condition()
        self._closed = False
        self.events = []
        self._file.readline()
        threading.Thread(target=self._read, daemon=True).start()
        self.command("qmp_capabilities")

    def _read(self):
        try:
            for raw in self._file:
                message = json.loads(raw)
                with self._changed:
                    if "event" in message:
                        self.events.append(message)
                    else:
                        self._answers.append(message)
                    self._changed.notify_all()
        except (OSError, ValueError):
            pass
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def command(self, name, timeout=60, **arguments):
        with self._lock:
            self._socket.sendall(
                json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
            with self._changed:
                self._changed.wait_for(lambda: self._answers or self._closed, timeout)
                if not self._answers:
                    raise Failure(f"QEMU's monitor did not answer {name}")
                answer = self._answers.pop(0)
        if "error" in answer:
            raise Failure(f"QEMU refused {name}: {answer['error'].get('desc')}")
        return answer["return"]

    def event(self, name):
        """The data of the first event of that name, or None."""
        with self._changed:
            for message in self.events:
                if message["event"] == name:
                    return message.get("data", {})
        return None

    def drain(self):
        """Waits for the last of a QEMU that has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed, 60)

    def close(self):
        self._socket.close()
