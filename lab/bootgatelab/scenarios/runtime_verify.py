"""Whoever asks a running VM learns what it is, and no one in between can say otherwise."""
import json

from .. import ima
from ..broker import free_port
from ..certificate import self_signed
from ..interceptor import Interceptor
from ..processes import wait_until
from ..proxy import Proxy
from ..runtime import BINARY_LOG, Running, enroll
from ..stories import expect, scenario

FAKE = "/run/fake-log"
OWN = "/var/lib/bootgate/data"


def two_at_once(running):
    """A second snapshot is not begun beside the first; the agent survives being killed in the middle."""
    status, answer = running.request("POST", "/v1/snapshot", token=None)
    expect(status in (401, 403), f"a snapshot without a login: status {status}, {answer}")
    status, _ = running.request("POST", "/v1/snapshot")
    expect(status in (200, 202), f"the first snapshot: status {status}")
    status, answer = running.request("POST", "/v1/snapshot")
    expect(status == 409 and answer["code"] == "busy", f"the second snapshot: status {status}, {answer}")

    def is_hashing():
        _, snapshot = running.request("GET", "/v1/snapshot")
        expect(snapshot["state"] == "running", f"the snapshot is {snapshot}")
        return snapshot["files"]
    wait_until(is_hashing, 60, "the first hashed file")
    before = running.shell.run("systemctl show -p MainPID --value bootgate-agent")
    running.shell.run("systemctl kill -s KILL bootgate-agent")
    running.wait_for_agent()
    after = running.shell.run("systemctl show -p MainPID --value bootgate-agent")
    expect(before != after, "the agent was not started again")
    _, snapshot = running.request("GET", "/v1/snapshot")
    expect(snapshot["state"] in ("none", "failed"), f"after the restart the snapshot is {snapshot}")


def lists_every_file(running, snapshot):
    """Nothing on the root is missing, whatever the agent's unit hides; how many files there are."""
    content = json.loads(snapshot.read_text())
    left_out = content["bootgate"]["excluded"]
    expect(not content["bootgate"]["skipped"], f"skipped: {content['bootgate']['skipped']}")
    prune = " -o ".join(f"-path {path}" for path in left_out)
    there = set(running.shell.run(f"find / -xdev \\( {prune} \\) -prune -o -type f -print").splitlines())
    missing = there - {path for path, _ in content["filehashes"]}
    expect(len(there) > 1000 and not missing, f"{len(missing)} of {len(there)} files are missing, "
           f"such as {sorted(missing)[:3]}")
    return len(there)


def passes_through(world, running, snapshot):
    """A proxy that does not end TLS changes nothing."""
    proxy = world.keep(Proxy(free_port(), running.port))
    running.trusted(snapshot, port=proxy.port, what="through a proxy that passes TLS on")
    expect(proxy.attempts, "nobody came through the proxy")


def intercepts(world, running, snapshot):
    """A proxy that ends TLS is noticed, even one that has stolen the agent's key."""
    own = self_signed(world.directory / "interceptor.pem", "web-1")
    stolen = world.directory / "stolen.pem"
    stolen.write_bytes(running.shell.read(f"{OWN}/cert.key") + running.shell.read(f"{OWN}/cert.pem"))
    # Evidence over another session: report and quote are neither over the one that is seen here.
    relayed = ["binding", "TPM nonce", "same TPM key"]
    for pem, checks in ((own, [*relayed, "TLS certificate"]), (stolen, relayed)):
        proxy = world.keep(Interceptor(pem, running.port))
        running.refused(snapshot, *checks, port=proxy.port, what=f"a proxy with {pem.stem}")
        expect(proxy.connections, "nobody came through the proxy")


def lies_about_the_log(running, snapshot):
    """Root puts another log in the kernel's place; how many lies were refused."""
    entries = ima.split(running.shell.read(BINARY_LOG))
    swapped = entries[:-2] + [entries[-1], entries[-2]]
    lies = {
        "a log that was cut": (entries[:-1], ["IMA replay"]),
        "a log without its middle": (entries[:40] + entries[41:], ["IMA replay"]),
        "a log in another order": (swapped, ["IMA replay"]),
        "a log with another digest": (
            entries[:-1] + [ima.with_other_digest(entries[-1])], ["IMA replay", "snapshot"]),
    }
    for what, (lie, checks) in lies.items():
        running.shell.write(FAKE, b"".join(lie))
        running.shell.run(f"mount --bind {FAKE} {BINARY_LOG}")
        running.refused(snapshot, *checks, what=what)
        running.shell.run(f"umount {BINARY_LOG}")
    forged = ima.with_other_digest(entries[-1], rehash=False)
    running.shell.write(FAKE, b"".join([*entries[:-1], forged]))
    running.shell.run(f"mount --bind {FAKE} {BINARY_LOG}")
    answer = running.verify(snapshot)
    running.shell.run(f"umount {BINARY_LOG}")
    refused = [one["check"] for one in answer["findings"] if one["outcome"] == "refused"]
    expect("IMA template hashes" in refused, f"an entry that is not what was hashed: refused by {refused}")
    return len(lies) + 1


@scenario("runtime-verify", "a clean VM is trusted; proxies and a log that lies are not", group="runtime")
def runtime_verify(world):
    running = Running(world, enroll(world))
    running.wait_for_agent()
    two_at_once(running)
    snapshot = running.snapshot("--no-register")
    files = lists_every_file(running, snapshot)
    # What the lies below need is executed now, so that the log they are made from stands still.
    running.shell.write(FAKE, b"")
    running.shell.run(f"mount --bind {FAKE} {FAKE}; umount {FAKE}")
    answer = running.trusted(snapshot)
    expect(answer["entries"] >= answer["quotedEntries"] > 80, f"{answer['entries']} entries")
    unchecked = {one["check"] for one in answer["findings"] if one["outcome"] == "not checked"}
    expect({"applications", "SSH host keys"} <= unchecked, f"not checked are {unchecked}")
    passes_through(world, running, snapshot)
    intercepts(world, running, snapshot)
    lies = lies_about_the_log(running, snapshot)
    running.trusted(snapshot, what="the VM after the lies")
    return (f"{files} files listed, {answer['entries']} entries trusted, through a proxy too; two proxies that end TLS and "
            f"{lies} logs refused; one snapshot at a time, and none after a kill")
