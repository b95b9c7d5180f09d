"""A software TPM: as a device of a VM, or talked to from here by those who have no VM."""
import hashlib
import socket
import struct

from .processes import Failure, Program, wait_until

SHA256, ECDSA, NULL = 0x000b, 0x0018, 0x0010
QUOTE, SIGNATURE, PUBLIC, VALUES = 4, 5, 6, 7
REGISTERS = range(24)
ENDORSEMENT = 0x4000000b
RETRY = 0x922
# TPMT_PUBLIC template: P-256, ECDSA with SHA-256, fixedTPM, fixedParent, sensitiveDataOrigin,
# userWithAuth, restricted, sign.
RESTRICTED = 0x00010000
ATTRIBUTES = 0x00040072 | RESTRICTED


class SoftwareTPM:
    """swtpm, with a state of its own."""

    def __init__(self, directory, arguments, state=None):
        self.state = state or directory / "tpm"
        self.state.mkdir(exist_ok=True)
        self.program = Program(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.state}", *arguments],
            directory / "swtpm.log")

    def ready(self, path):
        wait_until(lambda: path.exists() or not self.program.running, 20, "swtpm's socket")
        if not self.program.running:
            raise Failure(f"swtpm did not start: {self.program.text.strip()[-300:]}")

    def stop(self):
        self.program.stop()


class Device(SoftwareTPM):
    """The TPM of one VM for one boot: `devices` are QEMU's options for it.

    `state` is that of an earlier boot, which the same VM has left.
    """

    def __init__(self, directory, state=None):
        control = directory / "swtpm.ctrl"
        super().__init__(
            directory, ["--ctrl", f"type=unixio,path={control}", "--terminate"], state)
        self.ready(control)
        self.devices = ["-chardev", f"socket,id=tpm,path={control}",
                        "-tpmdev", "emulator,id=tpm0,chardev=tpm", "-device", "tpm-crb,tpmdev=tpm0"]


def sized(data):
    return struct.pack(">H", len(data)) + data


class Client(SoftwareTPM):
    """A TPM without a VM, started up; its registers are as after a reset."""

    def __init__(self, directory):
        path = directory / "swtpm.sock"
        super().__init__(directory, [
            "--server", f"type=unixio,path={path}", "--flags", "not-need-init,startup-clear"])
        self.ready(path)
        self._socket = wait_until(lambda: self._connected(path), 20, "swtpm to listen")

    @staticmethod
    def _connected(path):
        """A connection, or None as long as the socket is there and nobody listens at it."""
        attempt = socket.socket(socket.AF_UNIX)
        try:
            attempt.connect(str(path))
        except ConnectionRefusedError:
            attempt.close()
            return None
        return attempt

    def _command(self, code, handles=b"", parameters=b"", authorised=False):
        """The parameters of the response to one command."""
        session = b""
        if authorised:
            # TPM_RS_PW with an empty password.
            session = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
        body = handles + session + parameters
        tag = 0x8002 if authorised else 0x8001
        result = RETRY
        while result == RETRY:
            self._socket.sendall(struct.pack(">HII", tag, 10 + len(body), code) + body)
            _, size, result = struct.unpack(">HII", self._read(10))
            answer = self._read(size - 10)
        if result:
            raise Failure(f"swtpm: command 0x{code:x}: response code 0x{result:x}")
        return answer

    def _read(self, count):
        data = b""
        while len(data) < count:
            got = self._socket.recv(count - len(data))
            if not got:
                raise Failure("swtpm closed its socket")
            data += got
        return data

    def create_key(self, label, attributes=ATTRIBUTES):
        """(handle, TPMT_PUBLIC, name) of an attestation key, different for each label."""
        point = sized(hashlib.sha256(label).digest())
        template = struct.pack(">HHIH", 0x0023, SHA256, attributes, 0)
        template += struct.pack(">HHHHH", NULL, ECDSA, SHA256, 0x0003, NULL) + point + sized(b"")
        parameters = sized(sized(b"") + sized(b"")) + sized(template) + sized(b"") + bytes(4)
        answer = self._command(0x131, struct.pack(">I", ENDORSEMENT), parameters, True)
        handle, _, size = struct.unpack_from(">IIH", answer)
        public = answer[10:10 + size]
        return handle, public, struct.pack(">H", SHA256) + hashlib.sha256(public).digest()

    def extend(self, register, digest):
        self._command(
            0x182, struct.pack(">I", register), struct.pack(">IH", 1, SHA256) + digest, True)

    def registers(self):
        """[SHA-256 register], all of them."""
        found = {}
        for start in (0, 8, 16):
            selection = bytearray(3)
            selection[start // 8] = 0xff
            answer = self._command(
                0x17e, b"", struct.pack(">IHB", 1, SHA256, 3) + bytes(selection))
            at = 4 + 4 + 2 + 1 + 3 + 4
            for register in range(start, start + 8):
                found[register] = answer[at + 2:at + 34]
                at += 34
        return [found[register] for register in REGISTERS]

    def evidence(self, key, binding):
        """Evidence items 4 to 7: a quote over SHA-256 of the binding, and the registers."""
        handle, public, _ = key
        parameters = sized(hashlib.sha256(binding).digest()) + struct.pack(">H", NULL)
        parameters += struct.pack(">IHB", 1, SHA256, 3) + b"\xff\xff\xff"
        answer = self._command(0x158, struct.pack(">I", handle), parameters, True)
        size = struct.unpack_from(">H", answer, 4)[0]
        quote, rest = answer[6:6 + size], answer[6 + size:]
        # TPMT_SIGNATURE: algorithm, hash, two numbers; behind it stands the session's answer.
        length = 4
        for _ in range(2):
            length += 2 + struct.unpack_from(">H", rest, length)[0]
        values = struct.pack(">HB", SHA256, len(REGISTERS)) + b"".join(
            bytes([register]) + digest for register, digest in enumerate(self.registers()))
        return [(QUOTE, quote), (SIGNATURE, rest[:length]), (PUBLIC, public), (VALUES, values)]

    def stop(self):
        self._socket.close()
        super().stop()
