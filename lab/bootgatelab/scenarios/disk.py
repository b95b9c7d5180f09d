"""The disk is hostile input."""
import base64
import secrets

from .. import luks, paths
from ..guest import BOOT_LIMIT, copy_disk
from ..processes import run, wait_until
from ..stories import (
    boots, expect, only_launch, refused_only_for, said, scenario, stopped_by_gate)


def give_wrong_key(world, vm):
    """Puts another disk key in the broker's store, through the owner's own door; the key."""
    wrong = secrets.token_bytes(32)
    enrolment = dict(vm.enrolment, key=base64.b64encode(wrong).decode())
    world.broker.put(f"/v1/vms/{vm.name}", enrolment)
    return wrong


@scenario("wrong-disk-key", "the broker holds a key that does not open the disk")
def wrong_disk_key(world):
    vm = world.enroll()
    give_wrong_key(world, vm)
    guest = world.power_on(vm)
    stopped_by_gate(world, guest)
    row = only_launch(world, decision="released")
    expect(row["outcome"] == "failed", f"the ledger says {row['outcome']}")
    expect(row["failure"] == "keyslot refused key", f"the ledger says failed: {row['failure']}")
    said(guest, "stays shut", "that the disk stays shut")
    return f"{row['reference']} released, failed: {row['failure']}; guest powered itself off"


@scenario("null-cipher-header", "the LUKS header declares the root unencrypted")
def null_cipher_header(world):
    vm = world.enroll()
    luks.write_header(vm.disk, luks.with_null_cipher(luks.read_header(vm.disk)))
    guest = world.power_on(vm)
    stopped_by_gate(world, guest)
    expect(not world.broker.launches(decision="released"), "a key was released")
    line = said(guest, "(cipher|segment|header)", "what is wrong with the header")
    return f"refused: {line}"


@scenario("header-swapped", "the host swaps the LUKS header after the agent copied it")
def header_swapped(world):
    proxy = world.proxy()
    vm = world.enroll(ports=[proxy.port])
    genuine = luks.read_header(vm.disk)
    swapped = luks.with_null_cipher(genuine)
    hold = proxy.hold("release")
    guest = world.power_on(vm)
    wait_until(lambda: hold.reached.is_set() or not guest.console.running, BOOT_LIMIT, "RELEASE")
    expect(hold.reached.is_set(), "the broker released nothing")
    luks.write_header(vm.disk, swapped)
    hold.forward()
    row = boots(world, guest)
    expect(luks.read_header(vm.disk)[:32768] == swapped[:32768],
           "the swapped header is not on the disk any more")
    return f"{row['reference']} unlocked from the copy in RAM; the swapped header was ignored"


def make_decoy(world, vm):
    """A volume of the attacker's with the UUID and the token of the genuine one."""
    decoy = copy_disk(paths.GUEST / "root.luks", world.directory / "decoy.img")
    passphrase = world.directory / "attackers-passphrase"
    passphrase.write_bytes(b"known to the attacker")
    run(["cryptsetup", "luksFormat", "--batch-mode", "--type", "luks2", "--key-size", "512",
         "--cipher", "aes-xts-plain64", "--sector-size", "4096", "--pbkdf", "pbkdf2",
         "--pbkdf-force-iterations", "1000", "--key-slot", str(vm.enrolment["keyslot"]),
         "--uuid", vm.enrolment["luksUUID"], "--key-file", passphrase, decoy])

    def decorate(document):
        document["tokens"] = luks.metadata(luks.read_header(vm.disk))["tokens"]
    luks.write_header(decoy, luks.with_metadata(luks.read_header(decoy), decorate))
    return decoy


@scenario("decoy-disk", "a second disk with the same UUID comes first")
def decoy_disk(world):
    vm = world.enroll()
    decoy = make_decoy(world, vm)
    guest = world.power_on(vm, disks=[decoy, vm.disk])
    row = boots(world, guest)
    expect(guest.seen("^root crypt vdb "), "the root is not on the second, genuine disk")
    refused, _ = refused_only_for(world, "disk header")
    return (f"the decoy was refused by disk header ({refused['reference']}), "
            f"the genuine disk opened ({row['reference']})")
