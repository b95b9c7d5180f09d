"""A TLS 1.3 client on libssl that can export keying material, which Python's own cannot."""
import ctypes
import ctypes.util
import socket

_ssl = ctypes.CDLL(ctypes.util.find_library("ssl"))
_pointer = ctypes.c_void_p
for _name in ("TLS_client_method", "SSL_CTX_new", "SSL_new"):
    getattr(_ssl, _name).restype = _pointer
_ssl.SSL_CTX_new.argtypes = [_pointer]
_ssl.SSL_CTX_ctrl.argtypes = [_pointer, ctypes.c_int, ctypes.c_long, _pointer]
_ssl.SSL_CTX_set_verify.argtypes = [_pointer, ctypes.c_int, _pointer]
_ssl.SSL_new.argtypes = [_pointer]
_ssl.SSL_set_alpn_protos.argtypes = [_pointer, ctypes.c_char_p, ctypes.c_uint]
_ssl.SSL_set_fd.argtypes = [_pointer, ctypes.c_int]
for _name in ("SSL_connect", "SSL_shutdown", "SSL_free"):
    getattr(_ssl, _name).argtypes = [_pointer]
_ssl.SSL_CTX_free.argtypes = [_pointer]
_ssl.SSL_read.argtypes = [_pointer, ctypes.c_char_p, ctypes.c_int]
_ssl.SSL_write.argtypes = [_pointer, ctypes.c_char_p, ctypes.c_int]
_ssl.SSL_export_keying_material.argtypes = [
    _pointer, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t,
    ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]

_SET_MIN_PROTO_VERSION = 123
_TLS_1_3 = 0x0304
_ALPN = b"bootgate/1"
_EXPORTER = b"EXPORTER-Channel-Binding"


class Session:
    """One connection; checks no certificate, as an attacker would not."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), 10)
        self._socket.settimeout(None)
        self._context = _ssl.SSL_CTX_new(_ssl.TLS_client_method())
        _ssl.SSL_CTX_ctrl(self._context, _SET_MIN_PROTO_VERSION, _TLS_1_3, None)
        _ssl.SSL_CTX_set_verify(self._context, 0, None)
        self._session = _ssl.SSL_new(self._context)
        offer = bytes([len(_ALPN)]) + _ALPN
        _ssl.SSL_set_alpn_protos(self._session, offer, len(offer))
        _ssl.SSL_set_fd(self._session, self._socket.fileno())
        if _ssl.SSL_connect(self._session) != 1:
            raise ConnectionError("TLS handshake failed")

    def exporter(self):
        """RFC 9266 tls-exporter."""
        material = ctypes.create_string_buffer(32)
        if _ssl.SSL_export_keying_material(
                self._session, material, 32, _EXPORTER, len(_EXPORTER), b"", 0, 1) != 1:
            raise ConnectionError("no exporter")
        return material.raw

    def write(self, data):
        if _ssl.SSL_write(self._session, data, len(data)) != len(data):
            raise ConnectionError("TLS write failed")

    def read(self, count):
        """Exactly `count` bytes."""
        data = b""
        while len(data) < count:
            buffer = ctypes.create_string_buffer(count - len(data))
            got = _ssl.SSL_read(self._session, buffer, count - len(data))
            if got <= 0:
                raise ConnectionError(f"the broker closed after {len(data)} of {count} bytes")
            data += buffer.raw[:got]
        return data

    def close(self):
        _ssl.SSL_free(self._session)
        _ssl.SSL_CTX_free(self._context)
        self._socket.close()
