"""IMA logs: read, bent, and made up."""
import hashlib
import struct

REGISTER = 10
TEMPLATE = b"ima-sig"


def split(log):
    """The entries of a `binary_runtime_measurements`, whole."""
    entries, at = [], 0
    while at < len(log):
        end = at + 24
        end += 4 + struct.unpack_from("<I", log, end)[0]
        end += 4 + struct.unpack_from("<I", log, end)[0]
        entries.append(log[at:end])
        at = end
    return entries


def entry(path, digest):
    """(entry as the kernel writes it, SHA-256 of its template data)."""
    fields = [b"sha256:\0" + digest, path.encode() + b"\0", b""]
    data = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    whole = struct.pack("<I", REGISTER) + hashlib.sha1(data).digest()
    whole += struct.pack("<I", len(TEMPLATE)) + TEMPLATE + struct.pack("<I", len(data)) + data
    return whole, hashlib.sha256(data).digest()


def with_other_digest(old, rehash=True):
    """The entry with one bit of its file's digest changed; with `rehash` its template hash fits that."""
    name = struct.unpack_from("<I", old, 24)[0]
    start = 24 + 4 + name + 4
    data = bytearray(old[start:])
    data[4 + len(b"sha256:\0")] ^= 1
    template = hashlib.sha1(data).digest() if rehash else old[4:24]
    return old[:4] + template + old[24:start] + bytes(data)
