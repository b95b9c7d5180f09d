"""The gate opens."""
from ..stories import boots, expect, scenario


@scenario("genuine-boot", "a genuine VM opens its root and reaches multi-user")
def genuine_boot(world):
    vm = world.enroll()
    guest = world.power_on(vm)
    row = boots(world, guest)
    took = guest.seen(r"root disk open in (\d+) ms")
    expect(took, "the console does not say that the root disk is open")
    world.seconds["gate"] = int(took[1][1]) / 1000
    world.mark("power-off", guest.wait_power_off())
    findings = world.broker.findings(row["reference"])
    not_ok = [name for name, finding in findings.items() if finding["outcome"] == "refused"]
    expect(not not_ok, f"released in spite of {not_ok}")
    for check in ("signature", "binding", "measurement", "identity", "config anchor", "disk header"):
        expect(findings.get(check, {}).get("outcome") == "ok", f"{check} is not ok")
    return (f"{row['reference']} released and unlocked, / on /dev/mapper/root (aes-xts-plain64), "
            "multi-user reached")
