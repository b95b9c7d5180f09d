"""Looks for secrets in dumps of guest memory, and in anything else that can be read."""
import base64
import ctypes
import ctypes.util
import mmap

_crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
_crypto.EVP_PKEY_new_raw_private_key.restype = ctypes.c_void_p
_crypto.EVP_PKEY_new_raw_private_key.argtypes = [
    ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
_crypto.EVP_PKEY_get_raw_public_key.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_crypto.EVP_PKEY_free.argtypes = [ctypes.c_void_p]
_X25519 = 1034

# A SecretArena cell starts on a multiple of this.
CELL = 64
SCALAR = 32


def forms(secret):
    """The ways in which a secret could be written down."""
    return {
        "raw": secret,
        "hex": secret.hex().encode(),
        "HEX": secret.hex().upper().encode(),
        "base64": base64.b64encode(secret).rstrip(b"="),
        "base64url": base64.urlsafe_b64encode(secret).rstrip(b"="),
    }


def places(data, form):
    """Where `form` occurs in `data`. In pieces: Python stands still for as long as one search lasts."""
    piece = 1 << 20
    for base in range(0, len(data), piece):
        end = base + piece + len(form) - 1
        at = data.find(form, base, end)
        while at >= 0:
            yield at
            at = data.find(form, at + 1, end)


def traces(data, secret):
    """The forms in which `secret` occurs in `data`."""
    return [name for name, form in forms(secret).items() if any(True for _ in places(data, form))]


class Dump:
    """A memory dump, mapped."""

    def __init__(self, path):
        self._path = path
        with open(path, "rb") as file:
            self.data = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def traces(self, secret):
        return traces(self.data, secret)

    def hello_public_keys(self, vm):
        """Public keys of HELLO messages in the name of `vm`, found by the digests before them."""
        marker = vm.config_digest + vm.header_digest
        found = []
        for at in places(self.data, marker):
            kinds = self.data[at + len(marker)]
            start = at + len(marker) + 1 + kinds
            if 1 <= kinds <= 16:
                found.append(bytes(self.data[start:start + 32]))
        return found

    def private_keys(self, public):
        """Offsets of clamped X25519 scalars whose public key is in `public`."""
        first = bytes(1 if value & 7 == 0 else 0 for value in range(256))
        last = bytes(1 if value & 0xC0 == 0x40 else 0 for value in range(256))
        found = []
        step = 16 << 20
        for base in range(0, len(self.data), step):
            block = self.data[base:base + step]
            low, high = block[0::CELL].translate(first), block[SCALAR - 1::CELL].translate(last)
            both = int.from_bytes(low, "big") & int.from_bytes(high, "big")
            likely = both.to_bytes(len(low), "big")
            at = likely.find(1)
            while at >= 0:
                scalar = block[at * CELL:at * CELL + SCALAR]
                # Thirty-two random bytes hold about thirty different values.
                if len(set(scalar)) >= 20 and public_key(scalar) in public:
                    found.append(base + at * CELL)
                at = likely.find(1, at + 1)
        return found

    def close(self):
        self.data.close()
        self._path.unlink(missing_ok=True)


def public_key(scalar):
    """X25519 of the base point, straight from libcrypto: a scan asks tens of thousands of times."""
    key = _crypto.EVP_PKEY_new_raw_private_key(_X25519, None, scalar, SCALAR)
    public, length = ctypes.create_string_buffer(SCALAR), ctypes.c_size_t(SCALAR)
    _crypto.EVP_PKEY_get_raw_public_key(key, public, ctypes.byref(length))
    _crypto.EVP_PKEY_free(key)
    return public.raw
