"""`./build.sh sim [SEED] [--seeds N] [--faults N] [--watch]`: stories of two nodes in virtual time."""

from __future__ import annotations

import argparse
import sys
import time

from tools.sim.story import tell

_LAST = 30


def main(argv: list[str]) -> int:
    """Tell stories; exit code 1 when one broke."""
    parser = argparse.ArgumentParser(prog="./build.sh sim", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many stories, from SEED on")
    parser.add_argument("--faults", type=int, default=3, help="faults in a story")
    parser.add_argument("--watch", action="store_true", help="tell the story line by line")
    asked = parser.parse_args(argv)
    broken = []
    began = time.monotonic()
    for seed in range(asked.seed, asked.seed + asked.seeds):
        story, fault = tell(seed, asked.faults)
        if asked.watch or fault:
            print("\n".join(story.world.trace if asked.watch else story.world.trace[-_LAST:]))
        minutes = story.world.elapsed_ms / 60_000
        changes, compared = story.checks.role_changes, story.checks.compared
        print(
            f"seed {seed}: {fault or 'well'}; {minutes:.2f} min, {changes} takeovers, images compared {compared} times,"
            f" {len(story.setpoints)} controls; hash {story.world.digest[:16]}",
            flush=True,
        )
        broken += [seed] if fault else []
    print(f"{asked.seeds} stories in {time.monotonic() - began:.1f} s, broken: {broken or 'none'}")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
