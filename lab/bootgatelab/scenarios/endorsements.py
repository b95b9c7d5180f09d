"""What vendors publish: waited for beside the launch, obeyed, and carried to a broker without network."""
import shutil
import time

from .. import tdx
from ..attacker import HELD, REFUSED, RELEASE, SNP, TDX, Claim
from ..guest import BOOT_LIMIT
from ..processes import wait_until
from ..stories import (
    are_ok, boots, expect, presented, refuses, releases, said, scenario)
from ..vendors import Vendors
from .tdx import quoted_by

# What a launch on AMD needs beside the report, where the host hands out no certificates.
NO_TABLE = ["--fault", "no-certs"]


def reported_by(chip):
    """What a client presents who has `chip` sign its own session."""
    def make(claim):
        report, certificates = chip.report(claim.report_data)
        return {"report": report, "certificates": certificates}
    return make


def vendors_of(world, host=None):
    """The vendors' services, which the story's broker asks for what is missing."""
    vendors = world.keep(Vendors())
    vendors.have_amd(world.processor)
    if host:
        vendors.have_intel(host, world.folder("intel"))
    world.broker.ask_vendors(True, vendors.url, vendors.url)
    return vendors


def answer_to(world, vm, make, kind):
    """(frame type, seconds to wait if held); evidence that is not authentic has a row only seldom."""
    claim = Claim(world.broker.port, vm, kind)
    answer, body = claim.present(**make(claim))
    claim.close()
    return answer, int.from_bytes(body[:2], "big") if answer == HELD else 0


def held_then_released(world, vm, make, kind, what):
    """The first launch is held, and a later one released; how many were held."""
    held, end = 0, time.monotonic() + 90
    while time.monotonic() < end:
        answer, seconds = answer_to(world, vm, make, kind)
        if answer != HELD:
            break
        held += 1
        time.sleep(min(seconds, 5))
    expect(held and answer == RELEASE,
           f"{what}: expected HELD and then RELEASE, got {held} held and frame type {answer}")
    return held


@scenario("endorsement-held", "a missing VCEK holds the launch until AMD's service has answered",
          group="evidence")
def endorsement_held(world):
    vendors = vendors_of(world)
    vendors.busy = True
    vm = world.enroll()
    guest = world.power_on(vm, faults=NO_TABLE)
    wait_until(lambda: world.broker.launches(decision="held") or not guest.console.running, BOOT_LIMIT,
               "a held launch")
    held = world.broker.launches(decision="held")
    expect(held, "no launch was held")
    expect("supply" in world.broker.findings(held[-1]["reference"]), "the row says nothing of supply")
    wait_until(lambda: vendors.asked, 20, "a request to AMD's service")
    vendors.busy = False
    row = boots(world, guest)
    said(guest, "held, reference", "that the launch was held")
    are_ok(world, row, "signature", "endorsement key", "measurement")
    again = len(vendors.asked) - len(set(vendors.asked))
    expect(again >= 1, f"expected a request to be repeated, got {vendors.asked}")
    return (f"{held[-1]['reference']} held while the service was busy, {row['reference']} unlocked; "
            f"{len(vendors.asked)} requests")


@scenario("endorsement-revoked", "a revoked VCEK and a revoked ASK are refused", group="evidence")
def endorsement_revoked(world):
    vm = world.enroll()
    revoked = world.processor_for(vm, faults=["--fault", "revoked-key"])
    finding = refuses(world, vm, reported_by(revoked), "revocation", "revocation list",
                      what="VCEK in the ASK's list")
    chip = world.processor_for(vm)
    releases(world, vm, reported_by(chip))
    vendors = world.keep(Vendors())
    vendors.have_amd(world.processor, "revoked-intermediate")
    list_path = world.broker.endorsements / "Milan/crl.der"
    list_path.parent.mkdir(parents=True, exist_ok=True)
    list_path.write_bytes(vendors.document("/vcek/v1/Milan/crl"))
    refuses(world, vm, reported_by(chip), "revocation", what="ASK in the ARK's list")
    return f"both refused by revocation list: {finding['actual'][:60]}"


@scenario("endorsement-offline", "with a bundle and no network every verdict is the same",
          group="evidence")
def endorsement_offline(world):
    host = tdx.Machine(world)
    host.trust()
    vendors = vendors_of(world, host)
    snp = world.enroll("web-1")
    td = world.enroll("web-2", policy=host.policy("td"))
    chip = world.processor_for(snp, faults=NO_TABLE)
    domain = host.domain(td)
    stranger = host.domain(td, "--mrtd", "5a" * 48)
    held = held_then_released(world, td, quoted_by(domain), TDX, "TDX")
    held += held_then_released(world, snp, reported_by(chip), SNP, "SNP")
    cases = [(snp, reported_by(chip), SNP), (td, quoted_by(domain), TDX), (td, quoted_by(stranger), TDX)]

    def verdicts():
        found = []
        for vm, make, kind in cases:
            _, row = presented(world, vm, make, kind)
            findings = world.broker.findings(row["reference"])
            found.append((row["decision"], {name: one["outcome"] for name, one in findings.items()}))
        return found
    online = verdicts()
    expect([decision for decision, _ in online] == ["released", "released", "refused"],
           f"online: {[decision for decision, _ in online]}")
    bundle = world.directory / "endorsements.tar"
    world.broker.owner("endorsements", "export", bundle)

    world.broker.stop_program()
    shutil.rmtree(world.broker.endorsements)
    world.broker.ask_vendors(False, vendors.url, vendors.url)
    world.broker.start()
    before = vendors.connections
    empty = [answer_to(world, *case)[0] for case in cases]
    expect(empty == [REFUSED] * 3, f"without endorsements the answers were of types {empty}")
    imported = world.broker.owner("endorsements", "import", bundle)
    offline = verdicts()
    expect(offline == online, f"offline {offline} is not what online was: {online}")
    expect(vendors.connections == before, "a broker without network tried to connect")
    return (f"released after {held} held; {len(imported['added'])} documents carried over, "
            f"{len(cases)} verdicts the same, no connection")
