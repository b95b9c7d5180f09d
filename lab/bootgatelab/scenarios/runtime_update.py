"""An upgrade inside of a maintenance window needs no work by hand."""
from ..runtime import Running, enroll, problem
from ..stories import expect, scenario

# Two versions of a package with a program and a script, made by the guest's own tools.
PACKAGES = """
set -e
for version in 1.0 2.0; do
    tree=/root/tool-$version
    mkdir -p $tree/DEBIAN $tree/usr/bin $tree/usr/lib/lab-tool
    printf 'Package: lab-tool\\nVersion: %s\\nArchitecture: all\\nMaintainer: lab\\nDescription: tool\\n' \
        $version >$tree/DEBIAN/control
    cp /usr/bin/true $tree/usr/bin/lab-tool
    printf $version >>$tree/usr/bin/lab-tool
    printf '#!/bin/sh\\necho %s\\n' $version >$tree/usr/lib/lab-tool/run
    chmod 755 $tree/usr/bin/lab-tool $tree/usr/lib/lab-tool/run
    (cd $tree && find usr -type f -exec md5sum {} + >DEBIAN/md5sums)
    dpkg-deb --build --root-owner-group $tree /root/tool-$version.deb
done
dpkg -i /root/tool-1.0.deb
"""
RUN = "/usr/bin/lab-tool && /usr/lib/lab-tool/run"


@scenario("runtime-update", "a package upgrade in a maintenance window is trusted before and after",
          group="runtime")
def runtime_update(world):
    vm = enroll(world)
    running = Running(world, vm)
    running.wait_for_agent()
    running.shell.run(PACKAGES, 120)
    running.shell.run(RUN)
    snapshot = running.snapshot()
    running.trusted(snapshot)

    world.broker.owner("update", "begin", vm.name, "--reason", "security updates")
    running.shell.run("dpkg -i /root/tool-2.0.deb", 120)
    expect(running.shell.run(RUN).strip() == "2.0", "the upgraded script does not run")
    inside = running.report()
    expect(inside["verdict"] == "trusted",
           f"{inside['reference']} is {inside['verdict']} by {inside['refusedChecks']}")
    problem(inside, "/usr/bin/lab-tool")
    running.refused(snapshot, "snapshot", what="the old snapshot, without the window")

    code, changes = running.end_update()
    expect(code == 0, f"update end: exit {code}")
    tool = [one for one in changes["groups"] if one.get("package") == "lab-tool"]
    expect(tool and (tool[0]["oldVersion"], tool[0]["newVersion"]) == ("1.0", "2.0"),
           f"update end does not name the package: {str(changes)[:300]}")
    row = running.report()
    expect(row["verdict"] == "trusted" and not row.get("problems"),
           f"{row['reference']} is {row['verdict']} by {row['refusedChecks']}, {row.get('problems')}")
    expect(not running.state().get("window"), "the window is still open")
    running.trusted(world.directory / f"{vm.name}.after", what="the upgraded VM")
    return (f"dpkg upgraded lab-tool to 2.0: {inside['reference']} trusted inside of the window, "
            f"{row['reference']} after it")
