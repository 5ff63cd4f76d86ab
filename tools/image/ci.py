"""Whether a merge boots the image: when its inputs changed and the time that is left suffices; said either way."""

import os
import subprocess
import sys
from pathlib import Path

from tools.image import build
from tools.image.board import ROOT

INPUTS = ("board", "overlays", "tools/image", "tests/image", "firmware/tandem", "requirements-dev.txt")
WARM_MINUTES, COLD_MINUTES = 35, 60
"""What building and testing take on two cores, with Debian's part at hand and without."""


def changed(base: str) -> list[str]:
    """The image's inputs that differ from `base`, or all where git does not know it."""
    words = ["git", "-C", str(ROOT), "diff", "--name-only", base, "--", *INPUTS]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.split() if done.returncode == 0 else list(INPUTS)


def verdict(inputs: list[str], minutes: int, cached: bool, root: bool) -> tuple[bool, str]:
    """Whether to build and boot, and why, in a sentence."""
    if not inputs:
        return False, "nothing that goes into the image changed"
    needed = WARM_MINUTES if cached else COLD_MINUTES
    if not root:
        return False, f"{len(inputs)} inputs changed, but only root builds an image"
    if minutes < needed:
        return False, f"{len(inputs)} inputs changed, but it takes {needed} minutes and {minutes} are left"
    return True, f"{len(inputs)} inputs changed"


def main() -> int:
    """0: build and boot the image now; 1: not this time. The reason is printed."""
    base = os.environ.get("TANDEM_CI_BASE", "HEAD^")
    minutes = int(os.environ.get("TANDEM_CI_MINUTES", "0"))
    cached = Path(build.cache() / "rootfs.tar").exists()
    wanted, why = verdict(changed(base), minutes, cached, os.geteuid() == 0)
    print(f"image: {'built and booted' if wanted else 'NOT booted'}: {why}", flush=True)
    return 0 if wanted else 1


if __name__ == "__main__":
    sys.exit(main())
