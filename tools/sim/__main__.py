"""`./build.sh sim`: stories of two nodes in virtual time, each from a seed."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tools.sim.draw import picture
from tools.sim.fault import Fault
from tools.sim.group import EXAMPLE
from tools.sim.many import Job, Result, tell_all
from tools.sim.matrix import report, run, share
from tools.sim.mutants import MUTANTS
from tools.sim.plan import SCRIPTS, SPECIAL, Taste, draw_plan, taste_of
from tools.sim.play import Play, prompt
from tools.sim.shrink import same_way, shrink
from tools.sim.site import BOARDS
from tools.sim.story import tell
from tools.sim.tale import Tale, told

_LAST = 30


def main(argv: list[str]) -> int:
    """Tell stories; exit code 1 when one broke."""
    asked = _parser().parse_args(argv)
    if asked.mutants is not None:
        wanted = [m for m in MUTANTS if asked.mutants in m.name]
        if "/" in asked.mutants:
            number, of = asked.mutants.split("/")
            wanted = share(int(number), int(of))
        total, killed = report(run(wanted, asked.jobs))
        return int(killed < total or not total)
    if asked.play:
        board = "relays" if asked.board == "both" else asked.board
        return Play(asked.seed, board, asked.config, print).run(prompt())
    if asked.seeds == 1 and not asked.minutes:
        return _one(asked)
    return _many(asked)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./build.sh sim", description=__doc__)
    parser.add_argument("seed", nargs="?", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="so many stories, from SEED on")
    parser.add_argument("--minutes", type=float, default=0.0, help="stories from SEED on for so long")
    parser.add_argument(
        "--board",
        choices=(*BOARDS, *SPECIAL, "both"),
        default="both",
        help="role relays, or none; witness, stop: none, and a granting witness; trip: relays and a peer-trip; "
        "guardian: relays driven by its rules behind a UART; both: relays and software",
    )
    parser.add_argument("--config", type=Path, default=EXAMPLE, help="a group's configuration folder")
    parser.add_argument("--jobs", type=int, default=2, help="processes that tell stories side by side")
    parser.add_argument("--faults", type=int, default=-1, help="so many faults in a story instead of 5 to 9")
    parser.add_argument("--only", default="", help="of the story's faults only these, by number from 0: 0,3,4")
    parser.add_argument("--script", choices=sorted(SCRIPTS), help="a scripted worst case instead of drawn faults")
    parser.add_argument(
        "--mutants", nargs="?", const="", help="the kill matrix: all, those with this word in their name, or share 3/6"
    )
    parser.add_argument("--plan", action="store_true", help="say what would happen, and do nothing")
    parser.add_argument("--watch", action="store_true", help="the story as a time line")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="the story as a picture")
    parser.add_argument("--shrink", action="store_true", help="the shortest story that still fails")
    parser.add_argument("--play", action="store_true", help="a group at the prompt: cut, freeze, crash, heal, step")
    parser.add_argument("--trace", action="store_true", help="print the whole trace")
    return parser


def _one(asked: argparse.Namespace) -> int:
    """One story, told at length when it broke or when somebody watches."""
    board = "relays" if asked.board == "both" else asked.board
    taste = Taste() if asked.faults < 0 else Taste(asked.faults, asked.faults)
    plan = SCRIPTS[asked.script] if asked.script else draw_plan(asked.seed, board == "relays", taste_of(board, taste))
    if asked.only:
        plan = tuple(plan[int(number)] for number in asked.only.split(","))
    if asked.plan:
        print("\n".join(f"{number}: {fault}" for number, fault in enumerate(plan)))
        return 0
    if asked.shrink:
        return _shrink(asked, plan, board)
    tales: list[Tale] = []
    story, fault = tell(asked.seed, plan, board, asked.config, lambda story: tales.append(Tale(story)))
    if asked.watch or asked.svg:
        text = told(story, tales[0])
        if asked.watch:
            print(text)
        if asked.svg:
            title = f"seed {asked.seed} on {board}: {fault or 'well'}"
            asked.svg.write_text(picture(tales[0], title), encoding="utf-8")
    elif fault or asked.trace:
        print("\n".join(story.world.trace if asked.trace else story.world.trace[-_LAST:]))
    print(
        f"seed {asked.seed} on {board}: {fault or 'well'}; {story.world.elapsed_ms / 1000:.1f} s, "
        f"{len(story.faults.kinds)} faults, {story.checks.role_changes} takeovers, "
        f"images compared {story.checks.compared} times, "
        f"{len(story.checks.ledger.asked)} controls; hash {story.world.digest[:16]}"
    )
    return int(bool(fault))


def _shrink(asked: argparse.Namespace, plan: Sequence[Fault], board: str) -> int:
    _, fault = tell(asked.seed, plan, board, asked.config)
    if not fault:
        print(f"seed {asked.seed} on {board}: well; there is nothing to shrink")
        return 0
    short = shrink(plan, same_way(asked.seed, board, str(asked.config), fault))
    story, fault = tell(asked.seed, short, board, asked.config)
    print("\n".join([*story.world.trace[-_LAST:], "", fault, *(f"  {each}" for each in short)]))
    return 1


def _many(asked: argparse.Namespace) -> int:
    boards = BOARDS if asked.board == "both" else (asked.board,)
    job = Job(asked.seed, 0 if asked.minutes else asked.seeds, boards, str(asked.config), asked.minutes * 60)
    began = time.monotonic()
    broken: list[Result] = []
    total: Counter[str] = Counter()
    for result in tell_all(job, asked.jobs):
        total["stories"] += 1
        total["faults"] += result.faults
        total["takeovers"] += result.takeovers
        total["ms"] += int(result.elapsed_ms)
        if result.fault:
            broken.append(result)
            print(f"seed {result.seed} on {result.board}: {result.fault}", flush=True)
    took = time.monotonic() - began
    print(
        f"{total['stories']} stories ({total['stories'] / took * 60:.0f} a minute), {total['ms'] / 3_600_000:.2f} "
        f"simulated hours, {total['faults']} faults, {total['takeovers']} takeovers; broken: {len(broken)}"
    )
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
