"""A proxy that ends TLS in front of an agent and speaks to it itself: a machine in the middle."""
import socket
import ssl
import threading

from .broker import free_port


class Interceptor:
    """Listens on a port of its own with the certificate in `pem`, and forwards in a TLS session of its own."""

    def __init__(self, pem, target_port):
        self.port = free_port()
        self.connections = 0
        self._target = ("127.0.0.1", target_port)
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.load_cert_chain(pem)
        self._client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._client.check_hostname = False
        self._client.verify_mode = ssl.CERT_NONE
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                victim, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(victim,), daemon=True).start()

    def _serve(self, victim):
        try:
            inner = self._server.wrap_socket(victim, server_side=True)
            outer = self._client.wrap_socket(socket.create_connection(self._target, 60))
            outer.settimeout(None)
        except OSError:
            victim.close()
            return
        self.connections += 1
        for source, target in ((inner, outer), (outer, inner)):
            threading.Thread(target=self._copy, args=(source, target), daemon=True).start()

    @staticmethod
    def _copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self._listener.close()
