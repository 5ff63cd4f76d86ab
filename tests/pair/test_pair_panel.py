"""The front panel of a running pair: LEDs reach the pins, contacts and key are points, the key keeps controls out."""

from __future__ import annotations

import time

from tandem.config.signals import LED_NAMES
from tests.support.pair_rig import Group

GREEN, AMBER = 1, 2


def shown(group: Group, member: str) -> dict[str, int]:
    octets = group.bench.state()["members"][member]["leds"]
    return dict(zip(LED_NAMES, octets, strict=True)) if octets else {}


def test_leds_reach_the_pins_and_say_who_is_active(group: Group) -> None:
    active, standby = group.roles()
    group.wait(lambda: shown(group, active).get("active") == GREEN, "the active one shines")
    group.wait(lambda: shown(group, standby).get("standby") == AMBER, "the standby is in sync")
    group.wait(lambda: shown(group, active).get("field") == GREEN, "every device answers")
    assert shown(group, active)["standby"] == shown(group, standby)["active"] == 0
    steady = [(m, name) for m in "ab" for name in ("power", "run", "lan1", "lan2")]
    group.wait(lambda: all(shown(group, m)[name] == GREEN for m, name in steady), "both members are well")


def test_contacts_are_points_with_the_time_of_their_edge(group: Group) -> None:
    active, standby = group.roles()
    group.wait(lambda: group.value(active, "_sys.relay.own") == 1, "own contact")
    group.wait(lambda: group.value(standby, "_sys.relay.peer") == 1, "the same from the other side")
    assert group.value(standby, "_sys.relay.own") == 0
    assert [group.value(m, f"_sys.relay.{which}") for m in "ab" for which in ("watchdog", "peer_watchdog")] == [1] * 4


def test_a_key_at_local_refuses_controls_until_it_is_turned_back(group: Group) -> None:
    active, _ = group.roles()
    mark = group.mark()
    group.field({"do": "set", "point": "F1.earth_switch", "value": 0})
    group.bench.turn("key", active)
    try:
        group.wait(lambda: group.value(active, "_sys.key_local") == 1, "the key is a point")
        began = time.monotonic_ns()
        answer = group.probe({"do": "command", "ioa": 5001, "value": 1, "select": True})
        assert answer.get("negative") is True, answer
        assert "switched to local" in group.says(active, mark, "control: refused", "key")
        assert group.field_ledger.since(began, "control") == []
        assert "local" in group.members[active].status()["remote"]
    finally:
        group.bench.turn("key", active, False)
    group.wait(lambda: group.members[active].status()["remote"] == "permitted", "controls again")


def test_a_lamp_test_is_a_point(group: Group) -> None:
    group.bench.turn("lamp", "b")
    group.wait(lambda: group.value("b", "_sys.lamp_test") == 1, "pressed")
    group.bench.turn("lamp", "b", False)
    group.wait(lambda: group.value("b", "_sys.lamp_test") == 0, "released")
    assert group.value("a", "_sys.lamp_test") == 0
