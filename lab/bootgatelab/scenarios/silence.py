"""No secret is ever told."""
import signal

from ..memory import traces
from ..stories import boots, expect, scenario


@scenario("silence", "no log, list, console or core file shows a secret")
def silence(world):
    vm = world.enroll()
    guest = world.power_on(vm)
    boots(world, guest)
    report = guest.report()
    expect(b"=== end" in report and b"bootgate-launch" in report,
           "the guest's report is not complete")
    guest.wait_power_off()
    # A crash of the broker is the moment for a core file; the kernel may write one here.
    world.broker.program.signal(signal.SIGQUIT)
    world.broker.program.wait(20)
    places = {
        "serial console": guest.console.log.read_bytes(),
        "journal, process list, environments, /run": report,
        "broker's log": world.broker.log.read_bytes(),
    }
    cores = world.broker.core_files()
    for path in cores:
        places[path.name] = path.read_bytes()
    secrets = world.secrets(vm)
    expect("wrapping key" in secrets, "the wrapping key was not found: nothing to look for")
    for place, data in places.items():
        for what, secret in secrets.items():
            found = traces(data, secret)
            expect(not found, f"the {what} is in the {place} ({', '.join(found)})")
    read = sum(len(data) for data in places.values())
    return (f"{len(secrets)} secrets looked for in {read} bytes of {len(places)} places, "
            f"{len(cores)} core files: none")
