"""A root shell in the running guest, for stories: the port lab.shell."""
import base64
import socket

from .processes import Failure


class Shell:
    """Runs commands as root in a guest that was started with mode `shell`."""

    def __init__(self, guest):
        guest.wait_for(r"LAB: shell", "the guest's shell")
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(guest.shell_socket))
        self._file = self._socket.makefile("rb")

    def ask(self, command, seconds=60):
        """(exit status, output) of a command line."""
        self._socket.settimeout(seconds)
        try:
            self._socket.sendall(base64.b64encode(command.encode()) + b"\n")
            answer = self._file.readline().split()
        except TimeoutError:
            raise Failure(f"no answer in {seconds:g} s of the guest's shell to: {command[:120]}") from None
        if not answer:
            raise Failure(f"the guest's shell ended at: {command[:120]}")
        output = base64.b64decode(answer[1]) if len(answer) > 1 else b""
        return int(answer[0]), output.decode("utf-8", "replace")

    def run(self, command, seconds=60):
        """The output of a command line that must succeed."""
        status, output = self.ask(command, seconds)
        if status != 0:
            raise Failure(f"in the guest: {command[:120]}: exit {status}: {output.strip()[-300:]}")
        return output

    def write(self, path, content):
        """Puts bytes into a file of the guest."""
        self.run(f": >{path}")
        for at in range(0, len(content), 32768):
            part = base64.b64encode(content[at:at + 32768]).decode()
            self.run(f"base64 -d >>{path} <<<{part}")

    def read(self, path):
        """The bytes of a file of the guest."""
        return base64.b64decode(self.run(f"base64 -w0 {path}"))

    def stop(self):
        self._socket.close()
