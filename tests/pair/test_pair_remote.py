"""A 104 remote unit as field device, its events on their way when the active dies: ledgers outside count."""

from __future__ import annotations

import importlib.util
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pair.conftest import whole
from tests.support.pair_rig import Group, judge_one_driver, patient_config
from tools.bench.judge import Verdict, judge_stamped
from tools.bench.remote_group import write_group

K, W, MOST_IN_FRAME = 12, 8, 16
RATE = 300
DEVICE = "confirmed to the device remote.R1"


@pytest.fixture(scope="module")
def running_remotes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group whose only device is c104's server."""
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    folder = tmp_path_factory.mktemp("remotes")
    write_group(patient_config(folder / "patient"), folder / "source", 30, K, W)
    with Group(folder / "source", folder / "run", rate=0, foreign=False) as group:
        yield group


@pytest.fixture
def remotes(running_remotes: Group) -> Iterator[Group]:
    """The same, whole; one driver at every moment is judged when the test ends."""
    whole(running_remotes)
    running_remotes.began_ns = time.monotonic_ns()
    yield running_remotes
    running_remotes.field({"do": "rate", "value": 0})
    judge_one_driver(running_remotes)


def flow(group: Group, seconds: float = 1.0) -> None:
    """Events flow, and the center hears them."""
    group.field({"do": "rate", "value": RATE})
    heard = len(group.probe_ledger.since(group.began_ns, "event"))
    group.wait(lambda: len(group.probe_ledger.since(group.began_ns, "event")) > heard + 50 * seconds, "events flow")


def settled(group: Group) -> Verdict:
    """No more events; the unit has forgotten every one; what became of them."""
    group.field({"do": "rate", "value": 0})
    try:
        group.wait(lambda: group.field({"do": "state"}).get("unconfirmed") == 0, "every event is confirmed", 20)
    except AssertionError:
        state = group.field({"do": "state"})
        raise AssertionError(f"{state.get('unconfirmed')} events are not confirmed to the unit") from None

    def verdict() -> Verdict:
        sent = group.field_ledger.since(group.began_ns, "sent")
        return judge_stamped(sent, group.probe_ledger.since(group.began_ns, "event"))

    until = time.monotonic() + 5
    while verdict().lost and time.monotonic() < until:
        time.sleep(0.1)
    return verdict()


def test_a_kill_loses_nothing_and_the_unit_is_asked_nothing(remotes: Group) -> None:
    active, standby = remotes.roles()
    flow(remotes)
    fault = remotes.fault("kill", active)
    remotes.operator.calm()
    remotes.wait(lambda: remotes.active == standby, "the standby takes over")
    flow(remotes)
    verdict = settled(remotes)
    assert verdict.sent > 100
    assert not verdict.missing, verdict.missing[:5]
    assert verdict.repeated <= K * MOST_IN_FRAME
    device = remotes.members[standby].status()["devices"]["R1"]
    assert (device["interrogations"], device["confirm_timeouts"]) == (0, 0), "in sync: nothing was read anew"
    assert device["ok"]
    remotes.recover(fault)
    remotes.wait_ready()


def test_a_switchover_stops_the_unit_with_everything_acknowledged(remotes: Group) -> None:
    active, standby = remotes.roles()
    flow(remotes)
    assert "releasing" in remotes.cli("switchover", active).stdout
    remotes.wait(lambda: remotes.active == standby, "the other one is active")
    flow(remotes)
    verdict = settled(remotes)
    assert not verdict.missing, verdict.missing[:5]
    assert verdict.repeated <= K * MOST_IN_FRAME, "what the center had not confirmed yet"
    offered = remotes.members[standby].status()["devices"]["R1"]["offered_again"]
    assert offered == 0, "the unit repeats nothing"


def test_a_silent_standby_holds_the_confirms_back_until_the_active_goes_on_alone(remotes: Group) -> None:
    active, standby = remotes.roles()
    flow(remotes)
    fault = remotes.fault("freeze", standby)
    remotes.operator.calm()
    withheld = "the unit's window is full of what is not acknowledged; at most w - 1 of it may be"
    remotes.wait(lambda: remotes.members[active].status()["devices"]["R1"]["unconfirmed"] > K - W, withheld, 2)
    remotes.wait(lambda: remotes.value(active, "_sys.unprotected") == 1, "alone, and said so")
    flow(remotes)
    verdict = settled(remotes)
    assert not verdict.missing, verdict.missing[:5]
    device = remotes.members[active].status()["devices"]["R1"]
    assert (device["confirm_timeouts"], device["losses"]) == (0, 0), "no confirm waited for longer than it may"
    remotes.recover(fault)
    remotes.wait_ready()


def test_a_control_reaches_the_unit_once_also_through_the_standby(remotes: Group) -> None:
    answer = remotes.probe({"do": "command", "ioa": 9500, "value": 2, "select": True})
    assert answer.get("cause") == 7
    assert not answer["negative"]
    active, _ = remotes.roles()
    remotes.wait(lambda: remotes.value(active, "R1.breaker") == 2, "the breaker follows")
    done = remotes.field_ledger.since(remotes.began_ns, "control")
    assert [(line["point"], line["value"]) for line in done] == [("R1.trip", 2.0)]


def test_where_an_event_is_tells_when_the_unit_was_told(remotes: Group) -> None:
    active, standby = remotes.roles()
    flow(remotes)
    settled(remotes)
    rows = json.loads(remotes.cli("events", active, "--json").stdout)
    number = max(row["number"] for row in rows if row["name"].startswith("R1."))
    told = _journey(remotes, active, number)
    order = ["device time", "arrived", "mirrored", DEVICE, "delivered scada.probe"]
    assert set(order) <= set(told), told
    arrived, mirrored, confirmed = (_ms(told[stage]) for stage in order[1:4])
    assert arrived <= mirrored <= confirmed < 2000, "no confirm before the standby had it"
    assert told["mirrored"].endswith(f"at {standby}") and told[DEVICE].endswith(f"at {active}")
    assert remotes.field({"do": "state"})["unconfirmed"] == 0, "and the unit knows"
    assert "pending" not in _journey(remotes, standby, number)[DEVICE], "the standby was told too"
    fault = remotes.fault("freeze", standby)
    remotes.operator.calm()
    remotes.field({"do": "set", "point": "R1.breaker", "value": 1 + (remotes.value(active, "R1.breaker") == 1)})
    waiting = int(remotes.wait(lambda: _newest(remotes, active, "R1.breaker", number), "the event arrives", 5))
    remotes.wait(lambda: remotes.value(active, "_sys.unprotected") == 1, "alone, and said so")
    remotes.wait(lambda: remotes.field({"do": "state"})["unconfirmed"] == 0, "told to the unit by one member alone", 5)
    told = _journey(remotes, active, waiting)
    assert "pending" in told["mirrored"], told
    assert _ms(told[DEVICE]) > 100, "it waited for the standby as long as that could have it"
    remotes.recover(fault)
    remotes.wait_ready()


def _newest(group: Group, member: str, point: str, after: int) -> int:
    """Number of the newest event of a point above `after`; 0 where there is none."""
    rows = json.loads(group.cli("events", member, "--json").stdout)
    return max((row["number"] for row in rows if row["name"] == point and row["number"] > after), default=0)


def _journey(group: Group, member: str, number: int) -> dict[str, str]:
    """What `tandem event` prints: stage -> the rest of its line."""
    done = group.cli("event", member, str(number))
    assert done.returncode == 0, done.stdout + done.stderr
    return {line[2:39].strip(): line[39:].strip() for line in done.stdout.splitlines()[1:]}


def _ms(text: str) -> float:
    """The distance from the arrival, of a stage's line."""
    return float(text.partition(" ms")[0].split()[-1])


def test_a_standby_that_is_connected_only_starts(tmp_path: Path) -> None:
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    write_group(patient_config(tmp_path / "patient"), tmp_path / "source", 30, K, W, "connected")
    with Group(tmp_path / "source", tmp_path / "run", rate=0, foreign=False) as group:
        group.wait_ready()
        group.began_ns = time.monotonic_ns()
        active, standby = group.roles()
        group.wait(lambda: group.value(standby, "_sys.master.remote.connected") == 1, "the standby is connected")
        assert group.value(standby, "_sys.master.remote.driven") == 0
        dialed = len(_connections(group, "connect"))
        assert dialed == len(_connections(group, "started")) + 1
        fault = group.fault("kill", active)
        group.operator.calm()
        group.wait(lambda: group.active == standby, "the standby takes over")
        group.wait(lambda: len(_connections(group, "started")) == dialed, "it starts what was connected")
        assert len(_connections(group, "connect")) == dialed, "and connects nothing"
        flow(group)
        group.field({"do": "rate", "value": 0})
        device = group.members[standby].status()["devices"]["R1"]
        assert (device["starts"], device["interrogations"], device["losses"]) == (1, 0, 0)
        group.recover(fault)
        group.roles()
        group.wait(lambda: len(_connections(group, "connect")) == dialed + 1, "the returned one connects")
        group.wait(lambda: group.value(active, "_sys.master.remote.connected") == 1, "and says so")


def _connections(group: Group, what: str) -> list[dict[str, object]]:
    """What the unit saw of its connections."""
    return group.field_ledger.since(0, what)
