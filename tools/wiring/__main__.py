"""`./build.sh wiring`: draws docs/wiring/NAME.svg, fills the tables of board/NAME/README.md and docs/panel.md."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from tandem.config.board import BOARDS, board_names, read_board
from tandem.panel.leds import legend
from tools.wiring.sheet import draw
from tools.wiring.wires import readme_table

ROOT = BOARDS.parent
_MARKS = re.compile(r"(<!-- wires: made by \./build\.sh wiring -->\n).*?(<!-- end -->\n)", re.DOTALL)


def pages() -> dict[Path, str]:
    """Every file that is made, as it should be. Raises ValueError for a board that is wrong."""
    made = {ROOT / "docs" / "panel.md": _panel()}
    for name in board_names():
        board, findings = read_board(name)
        if board is None:
            raise ValueError("\n".join(map(str, findings)))
        if not board.pins:
            continue
        made[ROOT / "docs" / "wiring" / f"{name}.svg"] = draw(board)
        readme = BOARDS / name / "README.md"
        drawing = f"[The cabinet of a pair](../../docs/wiring/{name}.svg)\n"
        table = f"\\1{drawing}\n{readme_table(board)}\\2"
        made[readme] = _MARKS.sub(lambda m, t=table: m.expand(t), readme.read_text(encoding="utf-8"))  # type: ignore[misc]
    return made


def _panel() -> str:
    lines = [
        "# The front panel", "",
        "Made by `./build.sh wiring` from the table in `firmware/tandem/panel/leds.py`. Steady: always; slow: a second",
        "on, a second off; fast: four times a second; flash: once in two seconds. The lamp test lights them all.", "",
        "| LED | colour | shines | says |", "|---|---|---|---|",
    ]  # fmt: skip
    lines += [f"| {name} | {colour} | {pattern} | {text} |" for name, colour, pattern, text in legend()]
    return "\n".join(lines) + "\n"


def main(argv: list[str]) -> int:
    """Write what is not current; with --check only say so, exit code 1."""
    parser = argparse.ArgumentParser(prog="./build.sh wiring", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when something is not current")
    asked = parser.parse_args(argv)
    stale = [file for file, text in pages().items() if not file.exists() or file.read_text(encoding="utf-8") != text]
    for file in stale:
        print(f"{file.relative_to(ROOT)} {'is not current' if asked.check else 'written'}")
        if not asked.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(pages()[file], encoding="utf-8")
    return 1 if asked.check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
