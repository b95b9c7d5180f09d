"""A VM that is none: a client in Python with a processor, a TPM and an IMA log that somebody made up.

What it says is authentic, unless a story bends it: the report is the simulated processor's, the quote a swtpm's,
and the log replays to it.
"""
import base64
import hashlib
import json
import struct

from . import ima, tpm
from .attacker import LOG_WANTED, RELEASE, SNP, Claim

# What its snapshot has; the first half is executed as it boots.
FILES = {f"/usr/bin/program-{number}": hashlib.sha256(bytes([number])).digest() for number in range(8)}


class Pretender:
    """One boot of such a VM; `chip` is its processor, where it shares another one's."""

    def __init__(self, world, vm, key=b"attestation key", chip=None):
        self.vm = vm
        self.chip = chip or world.processor_for(vm)
        self.device = world.keep(tpm.Client(world.folder("tpm")))
        self.key = self.device.create_key(key)
        aggregate = hashlib.sha256(b"".join(self.device.registers()[:10])).digest()
        self.entries = []
        self.execute("boot_aggregate", aggregate)
        self._waiting = list(FILES.items())
        for _ in range(len(FILES) // 2):
            self.execute_next()

    def launch(self, port):
        """Lets the gate see this boot: the key is released, and the unlocking proved."""
        claim = Claim(port, self.vm)
        answer, _ = claim.present(*self.chip.report(claim.report_data))
        if answer == RELEASE:
            answer = claim.prove(base64.b64decode(self.vm.enrolment["proofKey"]))
        claim.close()
        return answer

    def execute(self, path, digest):
        """What the kernel does as a file is executed."""
        entry, extended = ima.entry(path, digest)
        self.entries.append(entry)
        self.device.extend(ima.REGISTER, extended)

    def execute_next(self):
        """Executes a file that the snapshot has and that was not executed yet."""
        self.execute(*self._waiting.pop(0))

    @property
    def log(self):
        return b"".join(self.entries)

    def statement(self, **changes):
        """The statement's bytes."""
        members = {
            "format": "bootgate statement 1", "vm": self.vm.name, "host_name": "lab",
            "certificate": "00" * 32, "attestation_key_name": self.key[2].hex(), "ssh_host_keys": [],
            "boot_id": "6c2b4ac2-6b2b-4d04-9e2c-0c6c9b1f5f10", "snapshot": None}
        return json.dumps(members | changes, separators=(",", ":")).encode()

    def clock(self):
        """(resetCount, restartCount) of the TPM."""
        quote = dict(self.device.evidence(self.key, b""))[tpm.QUOTE]
        at = 6
        for _ in range(2):
            at += 2 + struct.unpack_from(">H", quote, at)[0]
        return struct.unpack_from(">II", quote, at + 8)

    def snapshot(self, measurement):
        """The snapshot of this boot, as JSON."""
        reset, restart = self.clock()
        registers = self.device.registers()
        names = ("report_data", "family_id", "image_id", "guest_svn", "id_key_digest", "author_key_digest",
                 "policy", "report_id", "report_id_ma")
        files = [[path, digest.hex()] for path, digest in FILES.items()]
        return json.dumps({
            "bootgate": {
                "format": "bootgate snapshot 1", "vm": self.vm.name, "host_name": "lab",
                "boot_id": "6c2b4ac2-6b2b-4d04-9e2c-0c6c9b1f5f10", "time": 0, "hash": "sha256",
                "pcrs": {"sha256": {str(index): registers[index].hex() for index in range(11)}},
                "attestation_key_name": self.key[2].hex(),
                "ima": {"entries": len(self.entries), "bytes": len(self.log)},
                "excluded": [], "skipped": 0, "packages": []},
            "cloud_type": None,
            "tee_policy": {"Sev": {"measurement": measurement, **dict.fromkeys(names)}},
            "tpm_policy": {"reset_count": reset, "restart_count": restart}, "filehashes": files}).encode()

    def evidence(self, claim):
        """(report, certificates, key name, items) over the claim's session."""
        binding = claim.binding(self.key[2])
        report, certificates = self.chip.report(binding)
        return {"report": report, "certificates": certificates, "key_name": self.key[2],
                "items": self.device.evidence(self.key, binding)}

    def report(self, port, evidence=None, log=None, **statement):
        """Reports to the broker; the type of its last answer, and the evidence that was sent.

        `evidence` is sent in place of what would be made for this session, `log` in place of the log.
        """
        claim = Claim(port, self.vm, SNP, self.statement(**statement))
        sent = evidence or self.evidence(claim)
        answer, body = claim.present(**sent)
        if answer == LOG_WANTED:
            offset = struct.unpack(">Q", body)[0]
            answer, _ = claim.send_log((self.log if log is None else log)[offset:])
        claim.close()
        return answer, sent
