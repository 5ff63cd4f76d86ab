"""One redundancy group of real processes for the tests of the pair: patient timings, generous waits, history judged.

The machine that runs the tests may be slow and shared, so the group is given longer times than a station would
choose (figures are measured elsewhere), and every wait polls until a deadline that only a fault reaches.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.bench.pair import Pair
from tools.bench.plan import MEMBERS, other, raised
from tools.bench.processes import ROOT
from tools.bench.served import probe_source

EXAMPLE = ROOT / "tools" / "example-group"
PATIENT = {"dead_after_ms": 400, "sync_lease_ms": 1100, "confirm_wait_ms": 1300, "lease_ms": 250, "stall_ms": 200}
"""Times of [standby] that a stall of the test machine does not reach."""
_NOISE = ("lapsed", "was away", "stands still", "contact opened while the lines")
WAIT_S = 20.0
_BEAT_PORT = 4721


TWIN, POOL, VIEWER, LONER = 32, 33, 34, 35
"""Last octets of the hosts of more centers: a cursor on each member, one for both, of slaves view and lone."""
VIEW_PORT, LONE_PORT = 2405, 2406


def _more(slave: str, port: int, mode: str, center: str, host: int, session: str) -> str:
    opened = f"""
[[slave]]
name = "{slave}"
protocol = "iec104"
lan = "control"
tcp_port = {port}
hot_standby = "{mode}"
common_address = 47
points = "scada.csv"
"""
    return (opened if slave else "") + f"""
[[slave.center]]
name = "{center}"
hosts = ["127.20.2.{host}/32"]
session = "{session}"
"""


_MORE = (
    _more("", 0, "", "twin", TWIN, "each-member")
    + _more("", 0, "", "pool", POOL, "group")
    + _more("view", VIEW_PORT, "acquisition", "viewer", VIEWER, "each-member")
    + _more("lone", LONE_PORT, "disabled", "loner", LONER, "group")
)


def patient_config(target: Path, **changes: int) -> Path:
    """The example group with patient times, more centers, and a slave of each other mode; in a new folder."""
    target.mkdir(parents=True)
    for file in EXAMPLE.iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "gateway.toml":
            for key, value in {**PATIENT, **changes}.items():
                line = f"{key} = {value}"
                text, found = re.subn(rf"^{key} = \d+", line, text, flags=re.MULTILINE)
                text = text if found else text.replace("[standby]\n", f"[standby]\n{line}\n", 1)
            text += _MORE
        (target / file.name).write_text(text, encoding="utf-8")
    return target


class Group(Pair):
    """A running group, and what a test wants to know of it."""

    def __enter__(self) -> Group:
        super().__enter__()
        return self

    @property
    def probe_address(self) -> str:
        """The address from which a center may connect."""
        return probe_source(self.config)

    def host(self, last: int) -> str:
        """Another address on the probe's network."""
        return f"{self.probe_address.rpartition('.')[0]}.{last}"

    def own(self, member: str) -> str:
        """A member's own address, where its centers call."""
        return self.config.lan("control").members[member].addresses[0].ip

    def wait(self, done: Callable[[], Any], what: str, seconds: float = WAIT_S) -> Any:
        """The first true result; AssertionError with both members' last words when none comes in time."""
        until = time.monotonic() + seconds
        while True:
            if found := done():
                return found
            if time.monotonic() > until:
                last = "\n".join(f"{m}: {member.last_words(12)}" for m, member in self.members.items())
                raise AssertionError(f"not within {seconds:g} s: {what}\n{last}")
            time.sleep(0.05)

    def roles(self) -> tuple[str, str]:
        """(active, standby), when both are there and in sync."""
        self.wait_ready()
        active = str(self.wait(lambda: self.active, "one active member"))
        return active, other(active)

    def points(self, member: str, match: str = "") -> dict[str, dict[str, Any]]:
        """Every point of a member by name."""
        rows: dict[str, dict[str, Any]] = {}
        start: int | None = 0
        while start is not None:
            answer = self.members[member].ask("points", match=match, **{"from": start})
            rows |= {row["name"]: row for row in answer["points"]}
            start = answer["next"]
        return rows

    def value(self, member: str, name: str) -> float | None:
        """One point's value; None while the member does not answer."""
        try:
            return float(self.points(member, name)[name]["value"])
        except (OSError, ValueError):
            return None

    def mark(self) -> dict[str, int]:
        """Where both logs end now."""
        return {m: member.log.stat().st_size if member.log.exists() else 0 for m, member in self.members.items()}

    def log(self, member: str, mark: dict[str, int] | None = None) -> str:
        """What a member said since a mark."""
        with self.members[member].log.open("rb") as file:
            file.seek((mark or {}).get(member, 0))
            return file.read().decode(errors="replace")

    def says(self, member: str, mark: dict[str, int], *words: str, seconds: float = WAIT_S) -> str:
        """The first line since the mark that has all these words."""

        def line() -> str:
            lines = self.log(member, mark).splitlines()
            return next((one for one in lines if all(word in one for word in words)), "")

        return str(self.wait(line, f"member {member} says {words}", seconds))

    def history(self, since_ns: int = 0) -> list[tuple[int, str, str, Any]]:
        """What the relay bench saw."""
        return self.bench.history(since_ns)

    def cli(self, verb: str, member: str, *more: str) -> subprocess.CompletedProcess[str]:
        """`python -m tandem VERB --state ...` as a user types it."""
        command = [sys.executable, "-m", "tandem", verb, "--state", str(self.members[member].state), *more]
        env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware")}
        return subprocess.run(command, capture_output=True, text=True, timeout=30, env=env, check=False)

    def settled_values(self) -> dict[str, float]:
        """The process stands still, and the probe's image is that of the field: by served point."""
        self.field({"do": "rate", "value": 0})
        self.probe({"do": "interrogate"})
        self.wait(lambda: self.image() and not self.differences(), "the probe's image equals the field's")
        return self.image()

    def image(self) -> dict[str, float]:
        """The probe's present values by served point of a device, counters left out."""
        values = self.probe({"do": "state"}).get("values", {})
        return {name: float(values[name][0]) for name in self.tolerances() if name in values}

    def differences(self) -> dict[str, tuple[float | None, float]]:
        """Where the probe's image is not the field's: (probe, field) by point."""
        image, truth = self.image(), self.field({"do": "state"}).get("values", {})
        return {
            name: (image.get(name), truth[name])
            for name, near in self.tolerances().items()
            if name in truth and (name not in image or abs(image[name] - truth[name]) > near)
        }

    def _beat_ends(self, member: str) -> tuple[tuple[str, int], tuple[str, int]]:
        """In the member's plane: where its peer's beats on the first LAN come from, and where they go."""
        lan, plane = self.config.lans[0], {"a": 100, "b": 200}[member]
        own, peer = (lan.members[m].addresses[0].ip for m in (member, other(member)))
        return (raised(peer, plane), _BEAT_PORT), (raised(own, plane), _BEAT_PORT)

    def inject(self, member: str, frames: Iterable[bytes], pause_s: float = 0.002) -> None:
        """Datagrams that reach a member's heart from its peer's address, as a stranger on the LAN can send them."""
        source, target = self._beat_ends(member)
        with _datagrams(source) as sock:
            for octets in frames:
                sock.sendto(octets, target)
                time.sleep(pause_s)

    def record_beats(self, member: str, count: int) -> list[bytes]:
        """The next beats of a member on the first LAN; while this listens they do not reach the peer there."""
        source, target = self._beat_ends(member)
        with _datagrams(source) as sock:
            sock.connect(target)  # the newest socket of equal right gets what comes
            sock.settimeout(5)
            return [sock.recv(2048) for _ in range(count)]

    def epochs(self) -> dict[str, Any]:
        """Each member's epoch."""
        return {m: member.status().get("epoch") for m, member in self.members.items()}

    @contextmanager
    def no_role_change(self) -> Iterator[None]:
        """What happens inside changes no role; a change that the machine's own stalls made is not held against it."""
        before, mark = self.roles(), self.mark()
        yield
        logs = "".join(self.log(m, mark) for m in MEMBERS)
        changes = [line for line in logs.splitlines() if " -> " in line]
        if changes and noisy(logs):
            return
        assert not changes, f"roles changed: {changes}"
        assert self.roles() == before
        assert all(self.members[m].alive for m in MEMBERS)


def _datagrams(source: tuple[str, int]) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(source)
    return sock


def noisy(log: str) -> bool:
    """The machine itself stalled a member for longer than its times allow."""
    return any(noise in log for noise in _NOISE)


def never_two(history: list[tuple[int, str, str, Any]], what: str) -> list[int]:
    """The moments at which both members had `what` ("contact": lines driven; "holds": the service held)."""
    has = dict.fromkeys(MEMBERS, False)
    both = []
    for t, kind, member, value in history:
        if kind == what and member in has:
            has[member] = bool(value)
            if all(has.values()):
                both.append(t)
    return both


def judge_one_driver(group: Group) -> None:
    """I1 over everything that the relay bench saw since its start."""
    history = group.history()
    assert len(history) < 100_000, "the history has lost its beginning"
    assert any(event[1] == "contact" and event[3] for event in history), "no contact ever closed: nothing was judged"
    assert any(event[1] == "holds" and event[3] for event in history), "nobody ever held the service"
    for what in ("contact", "holds"):
        assert not never_two(history, what), f"both members had {what}"
    assert not group.bench.state()["counts"], group.bench.state()["counts"]


def as_json(done: subprocess.CompletedProcess[str]) -> Any:
    """The one JSON object that a tool printed."""
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
