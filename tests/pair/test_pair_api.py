"""The local API as tools speak it, and as a user types it."""

from __future__ import annotations

import json
import socket

import pytest

from tests.support.pair_rig import Group, as_json
from tools.bench.plan import MEMBERS


def lines(group: Group, member: str, octets: bytes) -> list[dict[str, object]]:
    """What the socket answers to these octets, until it closes or says nothing more."""
    answers = b""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(str(group.members[member].state / "api.sock"))
        sock.sendall(octets)
        sock.shutdown(socket.SHUT_WR)
        while part := sock.recv(65536):
            answers += part
    return [json.loads(line) for line in answers.splitlines()]


def test_status_points_and_events_as_json(group: Group) -> None:
    active, standby = group.roles()
    for member in MEMBERS:
        status = as_json(group.cli("status", member, "--json"))
        assert status["member"] == member and status["role"] == ("active" if member == active else "standby")
        assert status["health"] == {"value": 255, "losses": []} and status["alarms"] == []
        assert status["leds"]["active"] == ("green" if member == active else "dark")
        assert status["leds"]["standby"] == ("dark" if member == active else "amber")
        assert status["leds"]["peer"] == "green" and status["leds"]["lan1"] == "green"
        points = {row["name"]: row for row in as_json(group.cli("points", member, "--json"))}
        assert {"F1.breaker", "M1.active_power", "_sys.role_active"} <= set(points)
        assert {"name", "kind", "value", "text", "quality", "time", "number", "local"} <= set(points["F1.breaker"])
        some = as_json(group.cli("points", member, "--json", "--match", "M1."))
        assert {"M1.active_power", "M1.alarm"} <= {row["name"] for row in some} and len(some) < len(points)
    group.wait(lambda: group.members[active].status()["head"] > 5, "some events")
    events = as_json(group.cli("events", standby, "--json", "--most", "5"))
    assert len(events) == 5 and [e["number"] for e in events] == sorted(e["number"] for e in events)
    assert all(event["name"] and event["cause"] for event in events)


def test_the_same_for_people(group: Group) -> None:
    active, standby = group.roles()
    status = group.cli("status", active).stdout
    assert f"member {active} is ACTIVE for" in status and "{" not in status and "None" not in status
    assert len(status.splitlines()) <= 24 and max(map(len, status.splitlines())) <= 110, status
    assert "F1: ok" in status and "paths         lan.station alive" in status
    assert "F1.breaker" in group.cli("points", standby).stdout
    assert len(group.cli("events", active, "--most", "3").stdout.splitlines()) == 3


def test_nobody_there_is_a_sentence_and_exit_code_1(group: Group) -> None:
    done = group.cli("status", "a", "--state", "/nonexistent")
    assert done.returncode == 1
    assert "is a gateway running" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("octets", "word"),
    [
        (b"hello\n", "not JSON"),
        (b"[" * 4000 + b"\n", "not JSON"),
        (b"\xff\xfe\n", "not JSON"),
        (b"[]\n", "an object"),
        (b'{"v": 2, "ask": "status"}\n', "version 2"),
        (b'{"v": 1, "ask": "reboot"}\n', "'reboot' cannot be asked"),
        (b'{"v": 1, "ask": "events", "after": -1}\n', "whole number"),
        (b'{"v": 1, "ask": "events", "most": true}\n', "whole number"),
        (b'{"v": 1, "ask": "points", "from": "x"}\n', "whole number"),
        (b"x" * 10_000 + b"\n", "4096 octets"),
    ],
)
def test_a_question_that_makes_no_sense_gets_a_sentence(group: Group, octets: bytes, word: str) -> None:
    (answer,) = lines(group, "a", octets)
    assert answer["ok"] is False and word in str(answer["error"])


def test_more_askers_than_the_limit_are_told_so(group: Group) -> None:
    group.roles()
    askers = []
    try:
        for _ in range(40):
            sock = socket.socket(socket.AF_UNIX)
            askers.append(sock)
            sock.settimeout(5)
            sock.connect(str(group.members["a"].state / "api.sock"))
        assert b"connections ask already" in askers[-1].recv(4096)
        assert group.members["b"].status(), "and the others still get their answers"
    finally:
        for sock in askers:
            sock.close()
    group.wait(lambda: group.members["a"].status(), "room again")


def test_a_refused_switchover_says_why(group: Group) -> None:
    active, _ = group.roles()
    assert "active already" in group.cli("switchover", active, "--to", active).stdout
    assert "is no member" in group.cli("switchover", active, "--to", "c").stdout
