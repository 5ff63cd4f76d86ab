"""The probing port against a real kernel: ARP and echo over a veth pair into a namespace, and what is not permitted."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tandem.action import Probe
from tandem.config.load import load
from tandem.config.model import Address, Config, LanPort
from tandem.port.probes import Prober
from tests.support.configs import EXAMPLE

_NAME = f"tdprobe{os.getpid() % 100000}"
_HERE, _THERE = f"tp{os.getpid() % 100000}a", f"tp{os.getpid() % 100000}b"
_OWN, _PEER, _NOBODY, _OWN6, _PEER6 = "198.18.77.1", "198.18.77.2", "198.18.77.9", "fd00:77::1", "fd00:77::2"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def lan() -> Iterator[Config]:
    try:
        _ip("netns", "add", _NAME)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"network namespaces are not permitted here: {error}")
    try:
        _ip("link", "add", _HERE, "type", "veth", "peer", "name", _THERE, "netns", _NAME)
        for address in (f"{_OWN}/24", f"{_OWN6}/64"):
            _ip("addr", "add", address, "dev", _HERE, *(("nodad",) if ":" in address else ()))
        _ip("link", "set", _HERE, "up")
        for address in (f"{_PEER}/24", f"{_PEER6}/64"):
            _ip("-n", _NAME, "addr", "add", address, "dev", _THERE, *(("nodad",) if ":" in address else ()))
        _ip("-n", _NAME, "link", "set", _THERE, "up")
        config = load(EXAMPLE)
        port = LanPort(_HERE, (Address(_OWN, 24), Address(_OWN6, 64)))
        station = replace(config.lan("station"), vlan=0, members={"a": port, "b": port})
        yield replace(config, lans=(station, *config.lans[1:]))
    finally:
        _ip("netns", "del", _NAME)
        subprocess.run(["ip", "link", "del", _HERE], check=False, capture_output=True)


def asked(config: Config, hosts: dict[str, str], ways: str = "arp and ping") -> tuple[set[str], set[str]]:
    """(keys that answered, what was not permitted) of a few rounds of questions."""
    answered: set[str] = set()
    unable: set[str] = set()
    kept: list[int] = []

    async def story() -> None:
        loop = asyncio.get_running_loop()
        prober = Prober(loop, config, "a", answered.add, lambda key, why: unable.add(why), kept.append)
        if ways == "ping":
            prober._lans["station"]._open_arp = lambda: False  # type: ignore[method-assign]
        for _ in range(40):
            for key, host in hosts.items():
                prober.send(Probe(key, "station", host))
            await asyncio.sleep(0.05)
            if len(answered) == len(hosts) - ("nobody" in hosts) or unable:
                break
        assert bool(kept) == ("arp" in ways)
        prober.close()

    asyncio.run(story())
    return answered, unable


def test_arp_finds_who_is_there(lan: Config) -> None:
    answered, unable = asked(lan, {"peer": _PEER, "nobody": _NOBODY})
    assert answered == {"peer"} and not unable


def test_one_that_answers_no_echo_is_there_all_the_same(lan: Config) -> None:
    subprocess.run(
        ["ip", "netns", "exec", _NAME, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all"], check=True
    )
    assert asked(lan, {"peer": _PEER}) == ({"peer"}, set())


@pytest.mark.parametrize("host", [_PEER, _PEER6])
def test_an_echo_finds_who_is_there(lan: Config, host: str) -> None:
    answered, unable = asked(lan, {"peer": host}, ways="ping")
    if unable:
        pytest.skip(f"not permitted here: {unable}")
    assert answered == {"peer"}


def test_a_pulled_cable_answers_nothing_and_raises_nothing(lan: Config) -> None:
    _ip("-n", _NAME, "link", "set", _THERE, "down")
    assert asked(lan, {"peer": _PEER, "nobody": _NOBODY}) == (set(), set())
