"""`./build.sh image`: one board's image, bundle, bill of materials, checksums."""

import argparse
import fcntl
import os
import sys

from tools.image import board, build, host, twice
from tools.image.mirror import NoMirror
from tools.image.run import Failed, say


def main(arguments: list[str] | None = None) -> int:
    """Build as the arguments say; 0 when everything is in out/."""
    parser = argparse.ArgumentParser(prog="./build.sh image", description=__doc__)
    parser.add_argument("--board", action="append", help=f"one of {', '.join(board.names())}, or all (qemu-virt)")
    parser.add_argument("--release", action="store_true", help="the release's key, the smallest files")
    parser.add_argument("--renew", action="store_true", help="take what Debian has now and write the locks")
    parser.add_argument("--twice", action="store_true", help="build again from nothing and name what differs")
    options = parser.parse_args(arguments)
    wanted = options.board or ["qemu-virt"]
    try:
        boards = [board.read(name) for name in (board.names() if wanted == ["all"] else wanted)]
        if os.geteuid() != 0:
            raise Failed("a root file system belongs to root: run this as root (sudo -E ./build.sh image)")
        folder = build.cache()
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as door:
            try:
                fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                say(f"another build works in {folder}; waiting for it")
                fcntl.flock(door, fcntl.LOCK_EX)
            host.need(host.BUILD, folder / "log/host.log")
            host.emulate(folder / "log/host.log")
            for number, one in enumerate(boards):
                build.image(one, options.release, options.renew and number == 0)
            differing = [text for one in boards if options.twice for text in twice.compared(one, options.release)]
    except (Failed, NoMirror, ValueError) as error:
        say(str(error))
        return 1
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
