"""Kill updates and starts, hundreds of times, and see that the device still has a working bundle and catalogue.

    python tests/faults/kill_update.py --kills 500

Each round begins with a device on release 1, an update to release 2 (or a start of the trial) and a death: at the Nth
call that changes the disk, or at a random moment. Every other death at a call is a power cut: what was not synced by
then is lost, files are cut short and renames undone. Then the device must open one of the two releases whole, and
the next update must bring it to release 2.
"""

import argparse
import importlib.util
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))
sys.path.insert(0, str(HERE))

from dying import BEYOND, Disk, ended, in_child  # noqa: E402


def load_shop():
    specification = importlib.util.spec_from_file_location("update_tests_shop", HERE.parent / "edge/update/shop.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


class Rounds:
    def __init__(self, folder):
        module = load_shop()
        (folder / "made").mkdir()
        self.shop = module.Shop(module.make(folder / "made"), folder)
        self.version_of = module.version_of
        self.first = folder / "first"
        self.done = Counter()

    def prepare(self):
        """A device on release 1, proved, and release 2 published."""
        shop = self.shop
        shop.publish("1", sequence=1)
        shop.update()
        shop.prove()
        shutil.copytree(shop.state, self.first, symlinks=True)
        shop.publish("2", sequence=2)
        self.calls, self.update_s = self._measure()

    def reset(self):
        shutil.rmtree(self.shop.state, ignore_errors=True)
        shutil.copytree(self.first, self.shop.state, symlinks=True)

    def _measure(self):
        """How many calls an update makes, and how long it takes."""
        self.reset()
        receiver, sender = os.pipe()

        def work():
            disk = Disk(self.shop.state, at=BEYOND, power_cut=False, seed=0)
            disk.watch()
            self.shop.update()
            os.write(sender, str(disk.calls).encode())

        began_s = time.monotonic()
        assert ended(in_child(work)) == 0
        return int(os.read(receiver, 64)), time.monotonic() - began_s

    def update(self, at=BEYOND, power_cut=False, seed=0):
        def work():
            Disk(self.shop.state, at=at, power_cut=power_cut, seed=seed).watch()
            self.shop.update()

        return in_child(work)

    def check(self, what):
        """The device opens a whole release at each of several starts, and the next update ends well."""
        def start():
            used = self.shop.start()
            assert self.version_of(used) in ("1", "2"), used
            return 10 + int(self.version_of(used))

        code = ended(in_child(start))
        assert code in (11, 12), f"{what}: the device does not start ({code})"
        self.done[f"release {code - 10} after"] += 1
        assert ended(self.update()) == 0, f"{what}: the next update fails"
        assert ended(in_child(start)) == 12, f"{what}: the next update is not used"

    def kill_at(self, number, seed):
        self.reset()
        power_cut = bool(seed % 2)
        ended(self.update(at=number, power_cut=power_cut, seed=seed))
        self.done["power cuts" if power_cut else "kills at a call"] += 1
        self.check(f"{'power cut' if power_cut else 'kill'} at call {number} of {self.calls}, seed {seed}")

    def kill_after(self, seconds):
        self.reset()
        ended(self.update(), after_s=seconds)
        self.done["kills at a random moment"] += 1
        self.check(f"kill after {seconds:.4f} s")

    def kill_start(self, number, seed):
        """Starts of a trial that die at a call; after three the device is back on release 1, for good."""
        self.reset()
        assert ended(self.update()) == 0
        for _ in range(6):
            def work():
                Disk(self.shop.state, at=number, power_cut=bool(seed % 2), seed=seed).watch()
                self.shop.start()
                os.kill(os.getpid(), signal.SIGKILL)

            ended(in_child(work))
            self.done["kills at a start"] += 1
        self.check_start(f"starts that die at call {number}, seed {seed}")

    def check_start(self, what):
        from edge.update import pointer

        def start():
            return 10 + int(self.version_of(self.shop.start()))

        code = ended(in_child(start))
        assert code in (11, 12), f"{what}: the device does not start ({code})"
        pointer.read(self.shop.device.updates)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500, help="how many deaths (default 500)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        rounds = Rounds(Path(folder))
        rounds.prepare()
        at_calls, at_random = args.kills * 5 // 10, args.kills * 2 // 10
        for turn in range(at_calls):  # every other one near the flip, where most could go wrong
            number = rounds.calls - turn // 2 % 8 if turn % 2 else 1 + turn * rounds.calls // at_calls
            rounds.kill_at(number, chance.randrange(1 << 20))
        for _ in range(at_random):
            rounds.kill_after(chance.uniform(0, rounds.update_s))
        for turn in range((args.kills - at_calls - at_random + 5) // 6):
            rounds.kill_start(1 + turn % 8, chance.randrange(1 << 20))
        result = {"deaths": sum(count for name, count in rounds.done.items() if "after" not in name),
                  "calls_of_an_update": rounds.calls, **rounds.done, "without_a_working_bundle": 0}
    print(json.dumps(result) if args.json else "\n".join(f"{name}: {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
