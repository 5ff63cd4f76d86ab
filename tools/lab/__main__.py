"""`./build.sh lab [clean | options of run]`: a group between network namespaces; `clean` removes what is left."""

from __future__ import annotations

import sys

from tools.lab.netns import clean, trouble
from tools.run.__main__ import main as run


def main(argv: list[str]) -> int:
    """Run it, or clean up."""
    if argv[:1] == ["clean"]:
        print("removed: " + (", ".join(clean()) or "nothing, there was nothing left"))
        return 0
    if why := trouble():
        print(f"lab: {why}", file=sys.stderr)
        return 2
    return run(["--netns", *argv])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
