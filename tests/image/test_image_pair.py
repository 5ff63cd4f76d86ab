"""Two booted images: the first boot's questions, the pairing, one role line high as read from outside, a failover."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.image.console import BOOT_S, Console, compare_codes
from tools.image.boot import BOARD, Bench, newest
from tools.image.run import Failed

SWITCH = "TANDEM_TEST_IMAGE"
BROKEN = ("Failed with result", "Dependency failed", "Failed to start", "Failed to mount")

# An emulated machine on a busy computer is late by tenths of a second: the times are the longest that make sense.
GROUP = """format = 1
[group]
name = "trial"
[lan.one]
group = "10.77.1.10/24"
a = { interface = "eth0", address = "10.77.1.11/24" }
b = { interface = "eth0", address = "10.77.1.12/24" }
[lan.two]
group = "10.77.2.10/24"
a = { interface = "eth1", address = "10.77.2.11/24" }
b = { interface = "eth1", address = "10.77.2.12/24" }
[serial.crossover]
a = "crossover"
b = "crossover"
baud = 115200
[standby]
paths = ["lan.one", "lan.two", "serial.crossover"]
arbitration = "software"
heartbeat_ms = 200
dead_after_ms = 12000
lease_ms = 5000
stall_ms = 4000
sync_lease_ms = 40000
confirm_wait_ms = 45000
"""


def until(seen: Callable[[], bool], what: str, seconds: float = BOOT_S) -> None:
    """Wait until it is seen; the sentence says what was not."""
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, f"in {seconds:.0f} s it was not seen that {what}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    if not os.environ.get(SWITCH):
        pytest.skip("the image is not booted: ./build.sh test --image does")
    if not shutil.which("qemu-system-aarch64"):
        pytest.skip("qemu-system-aarch64 is not installed")
    try:
        image: Path = newest(BOARD)
    except Failed as error:
        pytest.skip(str(error))
    made = Bench(tmp_path_factory.mktemp("image"), image, "ab")
    made.start()
    yield made
    made.end()


@pytest.fixture(scope="module")
def consoles(bench: Bench) -> dict[str, Console]:
    return {name: Console(machine) for name, machine in bench.machines.items()}


def test_the_first_boot_asks_and_pairs(consoles: dict[str, Console]) -> None:
    consoles["a"].first_boot("a", GROUP)
    consoles["b"].first_boot("b", "")
    compare_codes(consoles["a"], consoles["b"])
    for name, console in consoles.items():
        console.log_in()
        assert "trial" in console.ask("show gateway.toml"), name


def test_no_unit_failed(consoles: dict[str, Console]) -> None:
    for name, console in consoles.items():
        said = console.ask("log --system --lines 600").splitlines()
        assert [line for line in said if any(word in line for word in BROKEN)] == [], name


def test_one_role_line_is_high_and_the_active_killed_gives_it_to_the_other(bench: Bench) -> None:
    wired = bench.wired
    assert wired is not None

    def active() -> list[str]:
        return [name for name in bench.machines if wired.high(name, "led-active")]

    until(lambda: len(active()) == 1, "one member shows that it is active")
    (first,) = active()
    other = "b" if first == "a" else "a"
    bench.machines[first].kill()
    until(lambda: active() == [other], f"{other} took over")
