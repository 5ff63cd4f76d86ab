"""c104's client (lib60870), a process of its own, against a running pair; tshark and our decoder over their words."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.pair_rig import Group, patient_config
from tests.support.tap import Tap
from tools.bench.processes import ROOT

PEER = Path(__file__).with_name("iec104_peer.py")
CA = 47
WARNING = 0x00600000

pytestmark = [pytest.mark.pair, pytest.mark.slow]


class Client:
    """c104 behind pipes: one JSON question, one answer."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.heard: list[list[Any]] = []
        self._answer()

    def ask(self, *question: Any) -> Any:
        """The answer to one question."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return self._answer()

    def until(self, done: Callable[[list[list[Any]]], Any], what: str, seconds: float = 20.0) -> Any:
        """Listen until what was heard so far makes it true."""
        end = time.monotonic() + seconds
        while not (found := done(self.heard)):
            assert time.monotonic() < end, f"c104 did not hear in {seconds:g} s: {what}; it heard {self.heard[-20:]}"
            self.heard += self.ask("heard")
            time.sleep(0.05)
        return found

    def _answer(self) -> Any:
        out = self._process.stdout
        assert out is not None
        assert select.select([out], [], [], 40)[0], "c104 does not answer"
        return json.loads(out.readline())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    folder = tmp_path_factory.mktemp("pair")
    source = patient_config(folder / "source")
    gateway = source / "gateway.toml"
    gateway.write_text(gateway.read_text("utf-8").replace("slow = 60000", "slow = 500"), "utf-8")
    with Group(source, folder / "run", rate=20, foreign=False) as running:
        running.wait_ready()
        yield running


@pytest.fixture(scope="module")
def tap(group: Group) -> Iterator[Tap]:
    with Tap((group.served.host, group.served.port)) as made:
        yield made


def connected(tap: Tap, way: str) -> Iterator[Client]:
    made = Client([sys.executable, str(PEER), str(tap.port), way])
    assert made.ask("connect") is True
    yield made
    made.close()


@pytest.fixture
def timed(tap: Tap) -> Iterator[Client]:
    """Hears events with their times."""
    yield from connected(tap, "timed")


@pytest.fixture
def still(tap: Tap) -> Iterator[Client]:
    """Hears what an interrogation tells."""
    yield from connected(tap, "still")


def test_general_interrogation(group: Group, still: Client) -> None:
    group.settled_values()
    assert still.ask("interrogation", CA) is True
    wanted = {1001, 1002, 1101, 2001, 2002, 2101, 9001, 9002}
    still.until(lambda heard: wanted <= {h[0] for h in heard if h[4] == "INTERROGATED_BY_STATION"}, "every point")
    values = {h[0]: h[2] for h in still.heard if h[4] == "INTERROGATED_BY_STATION"}
    truth = group.field({"do": "state"})["values"]
    assert values[1001] == truth["F1.breaker"]
    assert values[1002] == bool(truth["F1.earth_switch"])
    assert abs(values[2001] - truth["F1.voltage_l1"]) <= 0.5
    assert abs(values[2002] / 100 - truth["F1.current_l1"]) <= 0.1
    assert values[9001] is True
    assert still.ask("interrogation", CA + 1) is False


def test_spontaneous_values_and_a_select_before_operate(group: Group, timed: Client) -> None:
    group.field({"do": "rate", "value": 20})
    timed.until(lambda heard: len([h for h in heard if h[0] in (1001, 2001, 2002) and h[5]]) > 15, "events with times")
    assert {"SPONTANEOUS"} >= {h[4] for h in timed.heard if h[0] in (2001, 2002)}
    group.field({"do": "rate", "value": 0})
    group.field({"do": "set", "point": "F1.earth_switch", "value": 0})
    group.settled_values()
    close = group.image()["F1.breaker"] != 2
    mark = time.monotonic_ns()
    assert timed.ask("command", 5001, close, "select") is True
    timed.until(lambda heard: [h[2] for h in heard if h[0] == 1001][-1:] == [1 + close], "the breaker follows")
    assert timed.ask("command", 5001, close, "direct") is False, "must be selected"
    assert timed.ask("command", 5002, 77, "direct") is True
    done = [
        (line["point"], line["value"])
        for line in group.field_ledger.since(mark, "control")
        if line["point"] and line["value"] is not None
    ]
    assert done == [("F1.trip_close", 1.0 + close), ("F1.tap_setpoint", 77)], "each once"


def test_after_a_kill_the_same_client_goes_on_without_an_interrogation(group: Group, timed: Client) -> None:
    active, standby = group.roles()
    group.settled_values()
    timed.ask("heard")
    timed.heard.clear()
    fault = group.fault("kill", active)
    group.operator.calm()
    group.wait(lambda: group.active == standby, "the standby took over")
    assert timed.ask("connect") is True
    group.field({"do": "set", "point": "F1.voltage_l1", "value": 123.0})
    timed.until(lambda heard: [h for h in heard if h[0] == 2001 and abs(h[2] - 123.0) <= 0.5], "a value of afterwards")
    assert {h[4] for h in timed.heard} <= {"SPONTANEOUS", "BACKGROUND_SCAN", "PERIODIC"}, "nothing was interrogated"
    group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
    assert timed.ask("command", 5002, 78, "direct") is True
    group.recover(fault)
    group.roles()


def test_a_frozen_counter_outlives_the_member_that_froze_it(group: Group, still: Client) -> None:
    def reading() -> float:
        assert still.ask("counters", CA) is True
        still.until(lambda heard: any(h[0] == 3001 for h in heard), "the counter")
        values = [h[2] for h in still.heard if h[0] == 3001]
        still.heard.clear()
        return float(values[-1])

    active, standby = group.roles()
    frozen = reading()
    assert still.ask("counters", CA, "FREEZE_WITHOUT_RESET") is True
    group.field({"do": "set", "point": "F1.energy", "value": frozen + 1000})
    fault = group.fault("kill", active)
    group.operator.calm()
    group.wait(lambda: group.active == standby, "the standby took over")
    group.wait(lambda: group.value(standby, "F1.energy") == frozen + 1000, "the successor read the counter anew")
    assert still.ask("connect") is True
    assert reading() == frozen
    assert still.ask("counters", CA, "FREEZE_WITHOUT_RESET") is True
    assert reading() == frozen + 1000
    group.recover(fault)
    group.roles()


def test_the_capture_is_well_formed_and_every_frame_explained(group: Group, tap: Tap, tmp_path: Path) -> None:
    """Last of this file: what the tests above said, seen by tshark and by `tandem decode`."""
    if tap.connections == 0:
        pytest.skip("nothing was captured: run the whole file")
    tap.close()
    file = tmp_path / "pair.pcap"
    tap.capture.write(file)
    explained = _explained(file, group.served.port)
    assert len(explained) > 50
    assert not [frame for frame in explained if "error" in frame]
    if not shutil.which("tshark"):
        pytest.skip("peer missing: tshark (apt-get install tshark)")
    command = ["tshark", "-n", "-r", str(file), "-d", f"tcp.port=={group.served.port},iec60870_104", "-T", "fields"]
    for name in ("iec60870_asdu.typeid", "_ws.malformed", "_ws.expert.message", "_ws.expert.severity"):
        command += ["-e", name]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    seen = {int(number) for row in rows for number in row[0].split(",") if number}
    assert {30, 31, 36, 46, 49, 100} <= seen, "both ways are in it"
    assert not [row for row in rows if row[1]]
    assert not [row for row in rows if any(int(s) >= WARNING for s in row[3].split(",") if s)]


def _explained(file: Path, port: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tandem", "decode", "--protocol", "iec104", "--json", "--port", str(port)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware")}
    done = subprocess.run([*command, str(file)], capture_output=True, text=True, timeout=60, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
