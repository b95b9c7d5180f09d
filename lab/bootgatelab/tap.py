"""Listens in on the owner's own admin socket, to know the secrets the scans must look for."""
import base64
import json
import re
import socket
import threading


class Tap:
    """A Unix socket in front of the broker's; keeps the enrolments that go through it."""

    def __init__(self, path, target):
        self._target = str(target)
        self._sent = bytearray()
        self._lock = threading.Lock()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            for source, target, keep in ((client, server, True), (server, client, False)):
                threading.Thread(
                    target=self._copy, args=(source, target, keep), daemon=True).start()

    def _copy(self, source, target, keep):
        try:
            while data := source.recv(65536):
                if keep:
                    with self._lock:
                        self._sent += data
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def enrolments(self):
        """{VM id: the Enrolment as it was put}; the last one counts."""
        with self._lock:
            sent = bytes(self._sent)
        found = {}
        for put in re.finditer(rb"PUT /v1/vms/([a-z0-9.-]+) HTTP/1.1\r\n(.*?)\r\n\r\n", sent, re.S):
            length = re.search(rb"(?im)^content-length: *(\d+)", put[2])
            body = sent[put.end():][:int(length[1])] if length else b""
            if body:
                found[put[1].decode()] = json.loads(body)
        return found

    def stop(self):
        self._listener.close()


def disk_key(enrolment):
    """The keyslot's passphrase, as bytes."""
    return base64.b64decode(enrolment["key"])
