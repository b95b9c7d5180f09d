"""The command line of lab/scenario."""
import argparse
import concurrent.futures
import json
import shutil
import signal
import sys
import time
import traceback

from . import paths, scenarios  # noqa: F401, the import registers the stories
from .processes import Failure
from .stories import SCENARIOS
from .world import World


_worlds = set()


class Parser(argparse.ArgumentParser):
    """Ends with the exit codes of the programs: 64 usage, 69 something is missing."""

    def error(self, message):
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")

    def unavailable(self, message):
        self.exit(69, f"{self.prog}: {message}\n")


def tell_one(story, keep):
    """Runs one story; its line of JSON."""
    started = time.monotonic()
    world, ok, observed, reason = None, False, "", None
    try:
        world = World(story.name)
        _worlds.add(world)
        observed = story.story(world)
        for guest_like in world.guests():
            guest_like.judge_panic()
        ok = True
    except Failure as failure:
        reason = str(failure)
    except Exception as error:  # a defect of the lab is a failed story, not the end of the run
        reason = f"{type(error).__name__}: {error}"
        traceback.print_exc()
    finally:
        if world:
            _worlds.discard(world)
            world.close()
    seconds = dict(world.seconds if world else {}, total=round(time.monotonic() - started, 1))
    if world and ok and not keep:
        shutil.rmtree(world.directory, ignore_errors=True)
    return {"scenario": story.name, "group": story.group, "ok": ok, "observed": observed,
            "reason": reason, "seconds": seconds}


def show(line, as_json):
    if as_json:
        print(json.dumps(line), flush=True)
        return
    word = "ok     " if line["ok"] else "FAILED "
    print(f"{word} {line['scenario']:<26} {line['seconds']['total']:6.1f} s  "
          f"{line['observed'] if line['ok'] else line['reason']}", flush=True)


def choose(options, parser):
    if options.group:
        chosen = [story for story in SCENARIOS.values() if story.group == options.group]
        if not chosen:
            parser.error(f"no group {options.group}")
        return chosen
    unknown = [name for name in options.names if name not in SCENARIOS]
    if unknown:
        parser.error(f"no scenario {unknown[0]}; --list names them")
    if not options.names:
        parser.error("name scenarios, or --group, or --list")
    return [SCENARIOS[name] for name in options.names]


def require(parser):
    for name in ("bootgate", "bootgate-broker", "bootgate-initramfs", "bootgate-psp"):
        if not (paths.BIN / name).exists():
            parser.unavailable(f"{paths.BIN / name} is missing: run tools/build-release")
    if not (paths.GUEST / "initrd.img").exists():
        parser.unavailable(f"no guest in {paths.GUEST}: run lab/build")


def main():
    parser = Parser(
        prog="lab/scenario", description="Boots the lab's guest and checks one story each.")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--group", help="take all scenarios of a group")
    parser.add_argument("--json", action="store_true", help="one line of JSON each")
    parser.add_argument("--keep", action="store_true", help="keep the files of stories that hold")
    parser.add_argument("-j", dest="jobs", type=int, default=2, help="how many at a time (2)")
    options = parser.parse_args()
    if options.list:
        for story in SCENARIOS.values():
            print(json.dumps({"scenario": story.name, "group": story.group,
                              "summary": story.summary})
                  if options.json else f"{story.name:<26} {story.group:<8} {story.summary}")
        return 0
    chosen = choose(options, parser)
    require(parser)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    all_ok = True
    with concurrent.futures.ThreadPoolExecutor(max(1, options.jobs)) as pool:
        running = [pool.submit(tell_one, story, options.keep) for story in chosen]
        try:
            for done in concurrent.futures.as_completed(running):
                show(done.result(), options.json)
                all_ok &= done.result()["ok"]
        except (KeyboardInterrupt, SystemExit):
            # An ended run still ends what it started; the stories in progress then fail.
            pool.shutdown(wait=False, cancel_futures=True)
            for world in list(_worlds):
                world.close()
            raise
    return 0 if all_ok else 1
