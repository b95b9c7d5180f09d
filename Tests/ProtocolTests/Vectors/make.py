#!/usr/bin/python3
"""Writes the golden vectors of docs/protocol.md beside itself, without any code of ours.

Usage: Tests/ProtocolTests/Vectors/make.py        needs Debian's python3-cryptography

A file is `key: value` lines, a blank line, and hexadecimal bytes. Files named `frame-*` hold one
valid frame; their keys are the fields of docs/protocol.md. `refused-*` hold one frame that must be
refused with the text after `expect`. `binding-*`, `seal`, `keys` and `payload-*` hold what
their keys say, and the result as bytes. All values are constants, so the output never changes.
"""

import hashlib
import hmac
import pathlib
import struct

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

HERE = pathlib.Path(__file__).parent
(HELLO, CHALLENGE, EVIDENCE, RELEASE, REFUSED, HELD, OUTCOME, COMMIT, CLOSE, LATE, LOG_WANTED,
 LOG) = range(1, 13)


def count(start, length):
    """Bytes that differ from each other, so that a swapped field shows."""
    return bytes((start + i) % 256 for i in range(length))


def opaque(data, length_bytes):
    return len(data).to_bytes(length_bytes, "big") + data


def frame(kind, body=b"", version=1):
    return bytes([version, kind]) + opaque(body, 4)


def write(name, keys, data):
    lines = [f"{key}: {value}" for key, value in keys.items()]
    text = data.hex()
    rows = [text[i:i + 64] for i in range(0, len(text), 64)]
    (HERE / f"{name}.txt").write_text("\n".join(lines + [""] + rows) + "\n")


def hello(purpose=1, vm=b"web-1", key=b"disk", kinds=b"\x01", public=count(0x80, 32)):
    return (bytes([purpose]) + opaque(vm, 1) + opaque(key, 1) + count(0x10, 32) + count(0x40, 32)
            + opaque(kinds, 1) + public)


def challenge(kinds=b"\x01"):
    return count(0xa0, 16) + count(0xc0, 32) + opaque(kinds, 1) + struct.pack(">Q", 1795249800)


def item(kind, data):
    return bytes([kind]) + opaque(data, 3)


def evidence(kind=1, name=b"", items=item(1, count(0, 48))):
    return bytes([kind]) + opaque(name, 1) + opaque(items, 3)


# --- HPKE of RFC 9180, base mode, X25519 / HKDF-SHA256 / AES-256-GCM, written from the RFC

def extract(salt, ikm):
    return hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()


def expand(key, info, length):
    out, block, index = b"", b"", 1
    while len(out) < length:
        block = hmac.new(key, block + info + bytes([index]), hashlib.sha256).digest()
        out, index = out + block, index + 1
    return out[:length]


def labeled_extract(suite, salt, label, ikm):
    return extract(salt, b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, key, label, info, length):
    return expand(key, struct.pack(">H", length) + b"HPKE-v1" + suite + label + info, length)


def public_bytes(private):
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def seal(recipient, ephemeral, info, plaintext):
    enc = public_bytes(ephemeral)
    kem = b"KEM" + struct.pack(">H", 0x0020)
    suite = b"HPKE" + struct.pack(">HHH", 0x0020, 0x0001, 0x0002)
    dh = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    prk = labeled_extract(kem, b"", b"eae_prk", dh)
    shared = labeled_expand(kem, prk, b"shared_secret", enc + recipient, 32)
    context = (b"\x00" + labeled_extract(suite, b"", b"psk_id_hash", b"")
               + labeled_extract(suite, b"", b"info_hash", info))
    secret = labeled_extract(suite, shared, b"secret", b"")
    key = labeled_expand(suite, secret, b"key", context, 32)
    nonce = labeled_expand(suite, secret, b"base_nonce", context, 12)
    return enc, AESGCM(key).encrypt(nonce, plaintext, b"")


def binding(label, exporter, hello_frame, challenge_frame, key_name):
    data = label
    for part in (exporter, hashlib.sha256(hello_frame).digest(),
                 hashlib.sha256(challenge_frame).digest(), key_name):
        data += opaque(part, 2)
    return hashlib.sha512(data).digest()


# --- frames that are accepted

hello_keys = {"frame": "HELLO", "purpose": "launch", "vm_id": "web-1", "key_name": "disk",
              "config_digest": count(0x10, 32).hex(), "header_digest": count(0x40, 32).hex(),
              "evidence_kinds": "snp", "hpke_public_key": count(0x80, 32).hex()}
write("frame-hello", hello_keys, frame(HELLO, hello()))
write("frame-hello-runtime",
      hello_keys | {"purpose": "runtime", "vm_id": "a" * 64, "key_name": "k" * 32,
                    "evidence_kinds": "snp tdx azure-snp azure-tdx svsm",
                    "hpke_public_key": bytes(32).hex()},
      frame(HELLO, hello(2, b"a" * 64, b"k" * 32, b"\x01\x02\x03\x04\x05", bytes(32))))
challenge_keys = {"frame": "CHALLENGE", "launch_id": count(0xa0, 16).hex(),
                  "nonce": count(0xc0, 32).hex(), "evidence_kinds": "snp", "time": 1795249800}
write("frame-challenge", challenge_keys, frame(CHALLENGE, challenge()))
write("frame-challenge-two-kinds", challenge_keys | {"evidence_kinds": "tdx svsm"},
      frame(CHALLENGE, challenge(b"\x02\x05")))
write("frame-evidence", {"frame": "EVIDENCE", "kind": "snp", "attestation_key_name": "",
                         "items": "1:" + count(0, 48).hex()}, frame(EVIDENCE, evidence()))
everything = item(1, count(0, 48)) + item(2, b"") + item(3, count(7, 5))
write("frame-evidence-all-items",
      {"frame": "EVIDENCE", "kind": "azure-snp", "attestation_key_name": count(0, 34).hex(),
       "items": f"1:{count(0, 48).hex()} 2: 3:{count(7, 5).hex()}"},
      frame(EVIDENCE, evidence(3, count(0, 34), everything)))
tpm_items = {4: b"\xff\x54\x43\x47", 5: count(1, 6), 6: count(2, 7), 7: b"\0\x0b\x01\x0f" + bytes(32),
             8: b"HCLA", 9: b"", 10: count(3, 8), 11: b"-----BEGIN"}
write("frame-evidence-tpm-items",
      {"frame": "EVIDENCE", "kind": "azure-tdx", "attestation_key_name": count(0, 34).hex(),
       "items": " ".join(f"{k}:{v.hex()}" for k, v in ({1: b"quote"} | tpm_items).items())},
      frame(EVIDENCE, evidence(4, count(0, 34), item(1, b"quote") + b"".join(
          item(k, v) for k, v in tpm_items.items()))))
statement = b'{"format":"bootgate statement 1"}'
write("frame-evidence-statement",
      {"frame": "EVIDENCE", "kind": "snp", "attestation_key_name": "",
       "items": f"1:{count(0, 48).hex()} 12:{statement.hex()}"},
      frame(EVIDENCE, evidence(items=item(1, count(0, 48)) + item(12, statement))))
write("frame-refused", {"frame": "REFUSED", "code": "refused", "reference": "L-00041"},
      frame(REFUSED, b"\x01" + opaque(b"L-00041", 1)))
write("frame-refused-busy", {"frame": "REFUSED", "code": "busy", "reference": "b"},
      frame(REFUSED, b"\x02" + opaque(b"b", 1)))
write("frame-refused-malformed", {"frame": "REFUSED", "code": "malformed", "reference": "R" * 32},
      frame(REFUSED, b"\x03" + opaque(b"R" * 32, 1)))
write("frame-held", {"frame": "HELD", "retry_after_seconds": 300, "reference": "L-00042"},
      frame(HELD, struct.pack(">H", 300) + opaque(b"L-00042", 1)))
write("frame-outcome-unlocked",
      {"frame": "OUTCOME", "result": "unlocked", "proof": count(0x20, 32).hex(),
       "staged_digest": ""}, frame(OUTCOME, b"\x01" + count(0x20, 32) + b"\x00"))
write("frame-outcome-staged",
      {"frame": "OUTCOME", "result": "unlocked", "proof": count(0x20, 32).hex(),
       "staged_digest": count(0x60, 32).hex()},
      frame(OUTCOME, b"\x01" + count(0x20, 32) + opaque(count(0x60, 32), 1)))
write("frame-outcome-failed",
      {"frame": "OUTCOME", "result": "failed", "reason": "volume key check mismatch",
       "detail": "keyslot 1 opened, another volume key"},
      frame(OUTCOME, b"\x02\x03" + opaque(b"keyslot 1 opened, another volume key", 2)))
write("frame-commit", {"frame": "COMMIT"}, frame(COMMIT))
write("frame-close", {"frame": "CLOSE"}, frame(CLOSE))
write("frame-late-outcome",
      {"frame": "LATE_OUTCOME", "launch_id": count(0xa0, 16).hex(),
       "proof": count(0x20, 32).hex()}, frame(LATE, count(0xa0, 16) + count(0x20, 32)))

write("frame-log-wanted", {"frame": "LOG_WANTED", "offset": 0x0102030405060708},
      frame(LOG_WANTED, count(1, 8)))
write("frame-log", {"frame": "LOG", "last": "no", "data": count(9, 40).hex()},
      frame(LOG, b"\x00" + opaque(count(9, 40), 3)))
write("frame-log-last", {"frame": "LOG", "last": "yes", "data": ""},
      frame(LOG, b"\x01" + opaque(b"", 3)))

# --- the binding, the keys derived from the volume key, the sealed payload

exporter, key_name = count(0x33, 32), b"\x00\x0b" + count(0x55, 32)
launch = binding(b"bootgate launch v1", exporter, frame(HELLO, hello()),
                 frame(CHALLENGE, challenge()), b"")
inputs = {"purpose": "launch", "tls_exporter": exporter.hex(),
          "hello": frame(HELLO, hello()).hex(), "challenge": frame(CHALLENGE, challenge()).hex(),
          "attestation_key_name": ""}
write("binding-launch", inputs, launch)
write("binding-launch-tpm", inputs | {"attestation_key_name": key_name.hex()},
      binding(b"bootgate launch v1", exporter, frame(HELLO, hello()),
              frame(CHALLENGE, challenge()), key_name))
runtime_hello = frame(HELLO, hello(purpose=2, public=bytes(32)))
write("binding-runtime", inputs | {"purpose": "runtime", "hello": runtime_hello.hex()},
      binding(b"bootgate runtime v1", exporter, runtime_hello, frame(CHALLENGE, challenge()),
              b""))

write("binding-statement",
      {"tls_exporter": exporter.hex(), "statement": statement.hex(), "nonce": count(0xc0, 32).hex(),
       "attestation_key_name": key_name.hex()},
      binding(b"bootgate runtime v1", exporter, statement, count(0xc0, 32), key_name))

volume_key = count(0x01, 64)
check = expand(extract(b"", volume_key), b"bootgate vk id", 32)
proof_key = expand(extract(b"", volume_key), b"bootgate proof", 32)
write("keys", {"volume_key": volume_key.hex(), "binding": launch.hex(),
               "volume_key_check": check.hex(), "proof_key": proof_key.hex()},
      hmac.new(proof_key, launch, hashlib.sha256).digest())


def payload(keyslot, key, next_key):
    return (count(0xa0, 16) + bytes([keyslot]) + opaque(key, 2) + check + opaque(next_key, 2))


def payload_keys(keyslot, key, next_key):
    return {"launch_id": count(0xa0, 16).hex(), "keyslot": keyslot, "key": key.hex(),
            "volume_key_check": check.hex(), "next_key": next_key.hex()}


disk_key, next_key = count(0xe0, 32), count(0x21, 32)
write("payload", payload_keys(1, disk_key, b""), payload(1, disk_key, b""))
write("payload-next-key", payload_keys(31, disk_key, next_key), payload(31, disk_key, next_key))

agent = X25519PrivateKey.from_private_bytes(count(0x71, 32))
ephemeral = X25519PrivateKey.from_private_bytes(count(0x91, 32))
enc, ciphertext = seal(public_bytes(agent), ephemeral, launch, payload(1, disk_key, b""))
write("seal", {"private_key": count(0x71, 32).hex(), "info": launch.hex(),
               "plaintext": payload(1, disk_key, b"").hex()},
      frame(RELEASE, enc + opaque(ciphertext, 2)))
write("frame-release", {"frame": "RELEASE", "encapsulated_key": enc.hex(),
                        "ciphertext": ciphertext.hex()},
      frame(RELEASE, enc + opaque(ciphertext, 2)))

# --- frames that are refused

ORDER = "expected ascending kinds without duplicates"
REFUSALS = {
    "version-0": ("frame version: expected 1, got 0", frame(HELLO, hello(), version=0)),
    "version-2": ("frame version: expected 1, got 2", frame(HELLO, hello(), version=2)),
    "type-0": ("frame type: 0 is not known", frame(0)),
    "type-13": ("frame type: 13 is not known", frame(13)),
    "hello-too-long": ("HELLO length: expected at most 212, got 213",
                       frame(HELLO, bytes(213))),
    "evidence-too-long": ("EVIDENCE length: expected at most 524288, got 524289",
                          bytes([1, EVIDENCE]) + (524289).to_bytes(4, "big")),
    "length-of-ones": ("CHALLENGE length: expected at most 73, got 4294967295",
                       bytes([1, CHALLENGE]) + b"\xff" * 4),
    "commit-with-body": ("COMMIT length: expected at most 0, got 1", frame(COMMIT, b"\x00")),
    "hello-purpose": ("HELLO purpose: value 3 is not allowed", frame(HELLO, hello(purpose=3))),
    "hello-vm-empty": ("HELLO vm_id: length 0 is not within 1 to 64", frame(HELLO, hello(vm=b""))),
    "hello-vm-upper": ("HELLO vm_id: expected [a-z0-9][a-z0-9.-]{0,63}",
                       frame(HELLO, hello(vm=b"Web"))),
    "hello-vm-nul": ("HELLO vm_id: expected [a-z0-9][a-z0-9.-]{0,63}",
                     frame(HELLO, hello(vm=b"web\x00"))),
    "hello-vm-not-utf8": ("HELLO vm_id: expected [a-z0-9][a-z0-9.-]{0,63}",
                          frame(HELLO, hello(vm=b"w\xff"))),
    "hello-key-name": ("HELLO key_name: expected [a-z0-9][a-z0-9._-]{0,31}",
                       frame(HELLO, hello(key=b"-disk"))),
    "hello-no-kind": ("HELLO evidence_kinds: length 0 is not within 1 to 16",
                      frame(HELLO, hello(kinds=b""))),
    "hello-kind-unknown": ("HELLO evidence_kinds: value 6 is not allowed",
                           frame(HELLO, hello(kinds=b"\x01\x06"))),
    "hello-kinds-unsorted": (f"HELLO evidence_kinds: {ORDER}",
                             frame(HELLO, hello(kinds=b"\x02\x01"))),
    "hello-kinds-twice": (f"HELLO evidence_kinds: {ORDER}",
                          frame(HELLO, hello(kinds=b"\x01\x01"))),
    "hello-runtime-key": ("HELLO hpke_public_key: expected zero for a runtime report",
                          frame(HELLO, hello(purpose=2))),
    "hello-runtime-key-last-byte": (
        "HELLO hpke_public_key: expected zero for a runtime report",
        frame(HELLO, hello(purpose=2, public=bytes(31) + b"\x01"))),
    "evidence-kind": ("EVIDENCE kind: value 0 is not allowed", frame(EVIDENCE, evidence(0))),
    "evidence-key-name": ("EVIDENCE attestation_key_name: length 129 is not within 0 to 128",
                          frame(EVIDENCE, evidence(1, bytes(129)))),
    "evidence-no-item": ("EVIDENCE items: expected a report as the first item",
                         frame(EVIDENCE, evidence(items=b""))),
    "evidence-no-report": ("EVIDENCE items: expected a report as the first item",
                           frame(EVIDENCE, evidence(items=item(2, b"x")))),
    "evidence-item-twice": ("EVIDENCE items: expected ascending types without duplicates",
                            frame(EVIDENCE, evidence(items=item(1, b"x") * 2))),
    "evidence-items-unsorted": (
        "EVIDENCE items: expected ascending types without duplicates",
        frame(EVIDENCE, evidence(items=item(1, b"x") + item(3, b"x") + item(2, b"x")))),
    "evidence-item-unknown": ("EVIDENCE items.type: value 13 is not allowed",
                              frame(EVIDENCE, evidence(items=item(1, b"x") + item(13, b"x")))),
    "evidence-statement-too-long": (
        "EVIDENCE items.data: length 16385 is not within 0 to 16384",
        frame(EVIDENCE, evidence(items=item(1, b"x") + item(12, bytes(16385))))),
    "evidence-item-0": ("EVIDENCE items.type: value 0 is not allowed",
                        frame(EVIDENCE, evidence(items=item(0, b"x") + item(1, b"x")))),
    "evidence-item-too-long": (
        "EVIDENCE items.data: length 262145 is not within 0 to 262144",
        frame(EVIDENCE, b"\x01\x00" + opaque(b"\x01\x04\x00\x01", 3))),
    "evidence-item-beyond-list": (
        "EVIDENCE items: needs 9 bytes, only 5 are left",
        frame(EVIDENCE, b"\x01\x00\x00\x00\x09" + item(1, b"x"))),
    "evidence-list-cuts-item": (
        "EVIDENCE items: expected the last item to end with the list",
        frame(EVIDENCE, b"\x01\x00\x00\x00\x04" + item(1, b"x"))),
    "release-ciphertext-short": ("RELEASE ciphertext: length 16 is not within 17 to 2048",
                                 frame(RELEASE, bytes(32) + opaque(bytes(16), 2))),
    "refused-code": ("REFUSED code: value 4 is not allowed",
                     frame(REFUSED, b"\x04" + opaque(b"L", 1))),
    "refused-reference-escape": ("REFUSED reference: expected [A-Za-z0-9][A-Za-z0-9-]{0,31}",
                                 frame(REFUSED, b"\x01" + opaque(b"\x1b[2J", 1))),
    "held-reference-empty": ("HELD reference: length 0 is not within 1 to 32",
                             frame(HELD, b"\x00\x01\x00")),
    "outcome-result": ("OUTCOME result: value 3 is not allowed", frame(OUTCOME, b"\x03")),
    "outcome-staged-short": ("OUTCOME staged_digest: expected 0 or 32 bytes",
                             frame(OUTCOME, b"\x01" + bytes(32) + opaque(bytes(31), 1))),
    "outcome-reason": ("OUTCOME reason: value 7 is not allowed", frame(OUTCOME, b"\x02\x07\0\0")),
    "outcome-detail-long": ("OUTCOME length: expected at most 260, got 261",
                            frame(OUTCOME, b"\x02\x06" + opaque(b"x" * 257, 2))),
    "outcome-detail-escape": ("OUTCOME detail: expected printable ASCII",
                              frame(OUTCOME, b"\x02\x06" + opaque(b"\x1b[2J", 2))),
    "late-outcome-trailing": ("LATE_OUTCOME length: expected at most 48, got 49",
                              frame(LATE, bytes(49))),
    "log-wanted-trailing": ("LOG_WANTED length: expected at most 8, got 9",
                            frame(LOG_WANTED, bytes(9))),
    "log-last": ("LOG last: value 2 is not allowed", frame(LOG, b"\x02" + opaque(b"x", 3))),
    "log-empty": ("LOG data: expected some in a part that is not the last",
                  frame(LOG, b"\x00" + opaque(b"", 3))),
    "log-too-long": ("LOG length: expected at most 262148, got 262149",
                     bytes([1, LOG]) + (262149).to_bytes(4, "big")),
    "log-beyond-body": ("LOG data: needs 2 bytes, only 1 are left",
                        frame(LOG, b"\x01\x00\x00\x02x")),
}
for name, (expect, data) in REFUSALS.items():
    write(f"refused-{name}", {"expect": expect}, data)
