"""The IMA policy as the real kernel takes it."""
import hashlib

from ..runtime import Running, enroll
from ..stories import expect, scenario

FILES = """
printf 'echo a script\\n' >/usr/local/lib/marked.sh
printf 'setting = 1\\n' >/etc/marked.conf
printf 'echo not marked\\n' >/usr/local/lib/plain.sh
printf 'setting = 2\\n' >/etc/plain.conf
chown bootgate-measured /usr/local/lib/marked.sh
chgrp bootgate-measured /etc/marked.conf
sh /usr/local/lib/marked.sh
cat /etc/marked.conf /etc/plain.conf
sh /usr/local/lib/plain.sh
cp /usr/bin/true /dev/shm/program
/dev/shm/program
"""


@scenario("ima-policy", "the kernel takes the installed policy and measures what is marked", group="runtime")
def ima_policy(world):
    vm = enroll(world, policy="")
    running = Running(world, vm)
    expect(running.kernel_says("ima: policy update completed"), "the kernel did not take the policy")
    wrong = running.kernel_says(r"ima: .*(error|invalid|undefined|failed|unknown)")
    expect(not wrong, f"the kernel says: {wrong[:2]}")
    running.shell.run(FILES)
    log = running.ima_log()
    expect(log[0][0] == "boot_aggregate", f"the log begins with {log[0][0]}")
    paths = [path for path, _ in log]
    script = "sha256:" + hashlib.sha256(b"echo a script\n").hexdigest()
    expect(("/usr/local/lib/marked.sh", script) in log, "the marked script is not in the log by its digest")
    for path in ("/etc/marked.conf", "/dev/shm/program", "/etc/ima/ima-policy"):
        expect(path in paths, f"{path} is not in the log")
    # The last two would be read under the kernel's own policy, before a root's policy is loaded.
    for path in ("/usr/local/lib/plain.sh", "/etc/plain.conf", "/dracut-state.sh", "/etc/machine-id"):
        expect(path not in paths, f"{path} is in the log")
    return f"{len(log)} entries: marked script and configuration, a program on tmpfs, the policy itself"
