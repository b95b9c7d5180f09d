"""A client that speaks the launch protocol for someone it is not."""
import hashlib
import hmac
import secrets
import struct

from . import tls

HELLO, CHALLENGE, EVIDENCE, RELEASE, REFUSED, HELD = 1, 2, 3, 4, 5, 6
OUTCOME, CLOSE, LOG_WANTED, LOG = 7, 9, 11, 12
SNP, TDX = 1, 2
REPORT, CERTIFICATES, EVENT_LOG, STATEMENT = 1, 2, 3, 12
LOG_PART = 1 << 18


def frame(kind, body):
    return struct.pack(">BBI", 1, kind, len(body)) + body


def opaque(data, size):
    return len(data).to_bytes(size, "big") + data


class Claim:
    """One connection to the broker in the name of an enrolled VM, up to the challenge.

    With a statement it is a runtime report, else a launch.
    """

    def __init__(self, port, vm, kind=SNP, statement=None):
        self._session = tls.Session(port)
        self._kind = kind
        self._label = b"bootgate runtime v1" if statement else b"bootgate launch v1"
        self._items = [(STATEMENT, statement)] if statement else []
        hello = frame(HELLO, b"".join([
            b"\x02" if statement else b"\x01", opaque(vm.name.encode(), 1), opaque(b"disk", 1),
            vm.config_digest, hashlib.sha256(statement).digest() if statement else vm.header_digest,
            opaque(bytes([kind]), 1), bytes(32) if statement else secrets.token_bytes(32)]))
        self._session.write(hello)
        kind, challenge = self._receive()
        if kind != CHALLENGE:
            raise ConnectionError(f"expected CHALLENGE, got frame type {kind}")
        self.launch_id = challenge[6:22].hex()
        self._session_parts = [self._session.exporter(), hashlib.sha256(hello).digest(),
                               hashlib.sha256(challenge).digest()]
        self.report_data = self.binding()

    def binding(self, key_name=b""):
        """The report data that a genuine VM would have to sign for this very session."""
        parts = [*self._session_parts, key_name]
        return hashlib.sha512(
            self._label + b"".join(opaque(part, 2) for part in parts)).digest()

    def _receive(self):
        header = self._session.read(6)
        return header[1], header + self._session.read(struct.unpack(">I", header[2:])[0])

    def present(self, report, certificates=b"", key_name=b"", items=()):
        """Sends evidence; (frame type, body) of the broker's answer.

        `items` are pairs of type and bytes beside the report and its certificates.
        """
        parts = [(REPORT, report), *([(CERTIFICATES, certificates)] if certificates else []), *items,
                 *self._items]
        body = b"".join(bytes([kind]) + opaque(data, 3) for kind, data in sorted(parts))
        self._session.write(frame(
            EVIDENCE, bytes([self._kind]) + opaque(key_name, 1) + opaque(body, 3)))
        kind, answer = self._receive()
        return kind, answer[6:]

    def prove(self, proof_key):
        """Says that the disk is open; the frame type of the broker's answer to RELEASE's OUTCOME."""
        proof = hmac.digest(proof_key, self.report_data, "sha256")
        self._session.write(frame(OUTCOME, b"\x01" + proof + b"\x00"))
        return self._receive()[0]

    def send_log(self, log):
        """Answers LOG_WANTED with these bytes; (frame type, body) of the broker's answer."""
        parts = [log[at:at + LOG_PART] for at in range(0, len(log), LOG_PART)] or [b""]
        for number, part in enumerate(parts, 1):
            self._session.write(frame(LOG, bytes([number == len(parts)]) + opaque(part, 3)))
        kind, answer = self._receive()
        return kind, answer[6:]

    def close(self):
        self._session.close()
