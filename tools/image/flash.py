"""`./build.sh flash`: an image onto a card, guarded against the wrong disk, read back."""

import argparse
import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.image import board
from tools.image.boot import newest
from tools.image.run import Failed, answer, say

CHUNK = 4 << 20
LARGEST_CARD = 256 << 30


def refusals(device: dict[str, Any], roots: set[str], image_size: int) -> list[str]:
    """Why this disk, as lsblk describes it, is not written to; none: it may be."""
    name, size = f"/dev/{device['name']}", int(device["size"])
    parts = [device, *device.get("children", [])]
    said = []
    if device["type"] != "disk":
        said.append(f"{name} is a {device['type']}, not a whole disk")
    used = sorted({place for part in parts for place in (part.get("mountpoints") or []) if place})
    if used:
        said.append(f"{name} is in use at {', '.join(used)}: unmount it first")
    if any(f"/dev/{part['name']}" in roots for part in parts):
        said.append(f"{name} is what this computer runs from")
    if not device.get("rm") and device.get("tran") not in ("usb", "mmc") and not device["name"].startswith("mmcblk"):
        said.append(f"{name} is no card and no USB disk, but built in")
    if device.get("ro"):
        said.append(f"{name} is write-protected")
    if size < image_size:
        said.append(f"{name} has {size >> 20} MiB, and the image needs {image_size >> 20}")
    if size > LARGEST_CARD:
        said.append(f"{name} has {size >> 30} GiB, more than any card for a gateway")
    return said


def describe(device: Path) -> dict[str, Any]:
    """What lsblk says of a block device; Failed where it is none."""
    if not device.exists() or not stat.S_ISBLK(device.stat().st_mode):
        raise Failed(f"{device} is no disk; `lsblk -d -o NAME,SIZE,MODEL,TRAN,RM` lists those of this computer")
    columns = "NAME,SIZE,TYPE,MOUNTPOINTS,RM,RO,TRAN,MODEL,SERIAL"
    said = json.loads(answer(["lsblk", "--json", "--bytes", "--output", columns, device.resolve()]))
    found: dict[str, Any] = said["blockdevices"][0]
    return found


def roots() -> set[str]:
    """The devices that this computer's own file systems are on."""
    said = answer(["findmnt", "--noheadings", "--raw", "--output", "SOURCE", "--types", "notmpfs"])
    return {line.partition("[")[0] for line in said.split() if line.startswith("/dev/")}


def chunks(image: Path) -> Iterator[bytes]:
    """The disk's octets of a .img or .img.zst; Failed where the file is cut or damaged."""
    if image.suffix != ".zst":
        with image.open("rb") as octets:
            while chunk := octets.read(CHUNK):
                yield chunk
        return
    with subprocess.Popen(["zstd", "-q", "-d", "-c", image], stdout=subprocess.PIPE) as unpacking:
        assert unpacking.stdout is not None
        while chunk := unpacking.stdout.read(CHUNK):
            yield chunk
    if unpacking.returncode:
        raise Failed(f"{image} cannot be unpacked: it is damaged or cut short")


def size_of(image: Path) -> int:
    """Octets of the unpacked disk."""
    return image.stat().st_size if image.suffix != ".zst" else sum(map(len, chunks(image)))


def write(image: Path, target: Path, total: int) -> str:
    """Write the image, showing how far it is; SHA-256 of what was written."""
    written, digest = 0, hashlib.sha256()
    flags = os.O_WRONLY | (os.O_EXCL if target.is_block_device() else os.O_CREAT)
    door = os.open(target, flags, 0o600)
    try:
        for chunk in chunks(image):
            view = memoryview(chunk)
            while view:
                view = view[os.write(door, view) :]
            digest.update(chunk)
            written += len(chunk)
            progress("written", written, total)
        os.fsync(door)
    finally:
        os.close(door)
    return digest.hexdigest()


def read_back(target: Path, total: int) -> str:
    """SHA-256 of the target's first `total` octets, past what the kernel remembers of them."""
    door, digest, seen = os.open(target, os.O_RDONLY), hashlib.sha256(), 0
    try:
        os.posix_fadvise(door, 0, 0, os.POSIX_FADV_DONTNEED)
        while seen < total:
            chunk = os.read(door, min(CHUNK, total - seen))
            if not chunk:
                break
            digest.update(chunk)
            seen += len(chunk)
            progress("verified", seen, total)
    finally:
        os.close(door)
    return digest.hexdigest()


def progress(word: str, done: int, total: int) -> None:
    """One line that grows, on a terminal; every tenth elsewhere."""
    share = 100 * done // max(1, total)
    if sys.stderr.isatty():
        end = "\n" if done >= total else ""
        print(f"\r{word} {done >> 20} of {total >> 20} MiB, {share} %", end=end, file=sys.stderr)
    elif share % 10 == 0 and 100 * (done - CHUNK) // max(1, total) != share:
        say(f"{word} {share} %")


def main(arguments: list[str] | None = None) -> int:
    """Flash as the arguments say; 0 when what was written reads back the same."""
    parser = argparse.ArgumentParser(prog="./build.sh flash", description=__doc__)
    parser.add_argument("--device", type=Path, required=True, help="the whole disk, such as /dev/sdb")
    parser.add_argument("--board", default="rpi4", choices=board.names())
    parser.add_argument("--image", type=Path, help="another image than the newest of the board in out/")
    parser.add_argument("--yes", action="store_true", help="do not ask; every other guard stays")
    options = parser.parse_args(arguments)
    try:
        image = options.image or newest(options.board)
        total = size_of(image)
        device = describe(options.device)
        if wrong := refusals(device, roots(), total):
            raise Failed("nothing was written:\n  " + "\n  ".join(wrong))
        model = " ".join(str(device.get(key) or "") for key in ("model", "serial")).strip() or "a disk of unknown make"
        say(f"{image.name} goes onto {options.device}: {model}, {int(device['size']) >> 20} MiB.")
        say("All that is on it is lost.")
        if not options.yes and input(f"Write {device['name']} to go on: ").strip() != device["name"]:
            raise Failed("nothing was written")
        if write(image, options.device, total) != read_back(options.device, total):
            raise Failed(f"{options.device} reads back other octets than were written: take another card")
        say("written and verified; the card may be taken out")
    except (Failed, ValueError) as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{options.device}: {error.strerror}; nothing on it can be relied on now")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
