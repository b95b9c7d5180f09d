"""A policy that wants a TPM's quote beside the processor's report."""
import re

from .. import tpm
from ..stories import (
    are_ok, boots, expect, refused_only_for, refuses, releases, said, scenario, stopped_by_gate)

PCRS = """
[tpm]
required = true
key_trust = ["tee-report"]

[[tpm.pcrs]]
label = "lab firmware"
bank = "sha256"
values = {{ "0" = "{pcr0}", "4" = "{pcr4}" }}
covers = ["firmware"]
"""


def policy(world, pcr0="00" * 32, pcr4="00" * 32):
    return world.policy(extra=PCRS.format(pcr0=pcr0, pcr4=pcr4))


@scenario("vtpm-boot", "a required TPM quote: other registers are refused, the known ones boot",
          group="evidence")
def vtpm_boot(world):
    vm = world.enroll(policy=policy(world))
    expect("tpm_quote = yes" in vm.config.read_text(), "gate.conf asks for no quote")
    first = world.keep(tpm.Device(world.folder("tpm")))
    guest = world.power_on(vm, devices=first.devices)
    stopped_by_gate(world, guest)
    refused, finding = refused_only_for(world, "PCRs")
    said(guest, "refused", "that it was refused")
    guest.stop()
    # What the owner sees in `why` is what the firmware measured; so it becomes the reference.
    values = dict(re.findall(r"sha256:(\d+) ([0-9a-f]{64})", finding["actual"]))
    expect(set(values) == {"0", "4"} and values["4"] != "00" * 32,
           f"the finding does not tell the registers: {finding['actual']}")
    world.broker.owner("policy", "add", policy(world, values["0"], values["4"]))
    second = world.keep(tpm.Device(world.folder("tpm")))
    guest = world.power_on(vm, devices=second.devices)
    row = boots(world, guest)
    are_ok(world, row, "TPM quote", "TPM signature", "TPM key", "TPM nonce", "TPM key trust",
           "PCR digest", "TPM", "PCRs", "hand-over")
    end = guest.seen(r"LAB: pcr15 ([0-9A-Fa-f]{64})")
    expect(end and end[1][1].strip("0"), "PCR 15 was not extended at hand-over")
    return (f"{refused['reference']} refused by PCRs, {row['reference']} unlocked with a quote, "
            "PCR 15 extended")


@scenario("vtpm-refusals", "quotes with one fault each", group="evidence")
def vtpm_refusals(world):
    vm = world.enroll(policy=policy(world))
    chip = world.processor_for(vm)
    device = world.keep(tpm.Client(world.folder("tpm")))
    key = device.create_key(b"attestation key")
    other = device.create_key(b"another key")
    loose = device.create_key(b"a key that signs anything", tpm.ATTRIBUTES & ~tpm.RESTRICTED)

    def evidence(quoting=key, named=None, over=None, change=None):
        def make(claim):
            name = (named or quoting)[2]
            binding = claim.binding(name)
            report, certificates = chip.report(binding)
            items = device.evidence(quoting, over or binding)
            return {"report": report, "certificates": certificates, "key_name": name,
                    "items": change(items) if change else items}
        return make

    def without(claim):
        report, certificates = chip.report(claim.report_data)
        return {"report": report, "certificates": certificates}

    def invented(items):
        return [(kind, data[:-1] + bytes([data[-1] ^ 1]) if kind == tpm.VALUES else data)
                for kind, data in items]

    releases(world, vm, evidence())
    wrong = {
        "no quote": (without, []),
        "key not in the binding": (evidence(other, named=key), ["TPM key name", "TPM key trust"]),
        "another nonce": (evidence(over=bytes(64)), ["TPM nonce"]),
        "an unrestricted key": (evidence(loose), ["TPM key"]),
        "invented registers": (evidence(change=invented), ["PCR digest"]),
    }
    for what, (make, checks) in wrong.items():
        # Where the quote is not authentic, the policy finds none.
        refuses(world, vm, make, *checks, "TPM", "PCRs", "hand-over", what=what)
    device.extend(15, bytes(32))
    refuses(world, vm, evidence(), "hand-over", what="PCR 15 extended")
    return f"{len(wrong) + 1} kinds of evidence refused, each for its fault"
