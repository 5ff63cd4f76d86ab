"""The Raspberry's own boot loader on an image of its board, in QEMU's raspi3b: as far as the start of the kernel."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.image.test_image_pair import SWITCH
from tools.image.boot import newest
from tools.image.disk import ALIGN_MIB
from tools.image.qemu import connect
from tools.image.run import Failed

BOARD, TREE = "rpi3b", "bcm2837-rpi-3-b.dtb"
_CARD_OCTETS = 2 << 30  # the machine takes powers of two only
_START_S = 300.0
_NOISE = bytes.fromhex("b7540100") + b" \r\n\x03qx"


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """A card with the board's image; beside it what the Raspberry's firmware would have loaded from it."""
    if not os.environ.get(SWITCH):
        pytest.skip("the image is not booted: ./build.sh test --image does")
    if not shutil.which("qemu-system-aarch64"):
        pytest.skip("qemu-system-aarch64 is not installed")
    try:
        image = newest(BOARD)
    except Failed as error:
        pytest.skip(str(error))
    made = tmp_path / "card.img"
    subprocess.run(["cp", "--sparse=always", image, made], check=True)
    os.truncate(made, _CARD_OCTETS)
    for name in ("u-boot.bin", TREE):
        subprocess.run(["mcopy", "-i", f"{made}@@{ALIGN_MIB}M", f"::{name}", tmp_path / name], check=True)
    return made


def test_the_loader_starts_a_slot_whatever_comes_over_its_line(card: Path) -> None:
    """The peer's beats reach the line that the loader listens on: none of them may stop the start."""
    folder = card.parent
    line = folder / "line.sock"
    words = ["qemu-system-aarch64", "-M", "raspi3b", "-display", "none", "-monitor", "none", "-serial", "null"]
    words += ["-kernel", str(folder / "u-boot.bin"), "-dtb", str(folder / TREE)]
    words += ["-drive", f"file={card},if=sd,format=raw", "-serial", f"unix:{line},server=on,wait=off"]
    with subprocess.Popen(words) as machine:
        try:
            with connect(line) as heard:
                said = told(heard)
        finally:
            machine.kill()
    assert "Loading Environment from FAT... OK" in said
    assert "tandem: slot A, tries left A 2 B 0" in said
    assert "Starting kernel" in said, said[-400:]


def told(line: socket.socket) -> str:
    """What the loader says until it starts the kernel, while somebody else talks to it all the time."""
    said, until = b"", time.monotonic() + _START_S
    line.settimeout(0.05)
    while b"Starting kernel" not in said and time.monotonic() < until:
        with suppress(TimeoutError):  # nobody reads yet
            line.send(_NOISE)
        with suppress(TimeoutError):  # nothing is said
            said += line.recv(65536)
    return said.decode(errors="replace")
