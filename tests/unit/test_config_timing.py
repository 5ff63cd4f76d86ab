"""Times that cannot keep the promises of hot standby are refused, with the numbers."""

from __future__ import annotations

import pytest

from tandem.config.load import parse_group
from tandem.config.timing import RelayTimes
from tests.support.configs import Edit, example, found

BENCH = RelayTimes(watchdog_ms=120, operate_ms=8, release_ms=5, bounce_ms=3, debounce_ms=5)
G = "gateway.toml"
DEAD, SYNC = "dead_after_ms = 120", "sync_lease_ms = 500"
WITH_104 = """[[master]]
name = "rtus"
protocol = "iec104"
lan = "station"
link_timeout_ms = LIMIT
devices = "rtus.csv"

[[slave]]
name ="""


def errors(*edits: Edit, relay: RelayTimes | None = None) -> list[str]:
    return [str(f) for f in found(example(*edits), relay) if f.level == "error"]


# (rule, edits that just keep it, edits that just break it, relay times, words)
BOUNDS: list[tuple[str, tuple[Edit, ...], tuple[Edit, ...], RelayTimes | None, str]] = [
    ("D, L, n H, J", ((G, DEAD, "dead_after_ms = 118\nlease_ms = 60"),),
     ((G, DEAD, "dead_after_ms = 118\nlease_ms = 69"),), None,
     "dead_after_ms = 118 is below lease_ms 69 + 2 x heartbeat_ms 20 + kernel tick 10 = 119. write 119 or more"),
    ("D, 2 H, delivery, L, J", ((G, DEAD, "dead_after_ms = 116"),), ((G, DEAD, "dead_after_ms = 115"),), None,
     "on the slowest path (serial.crossover) + lease_ms 60 + kernel tick 10 = 115.6. write 116"),
    ("a path too slow", ((G, "baud = 115200", "baud = 64000"),), ((G, "baud = 115200", "baud = 9600"),), None,
     "66.7 on the slowest path (serial.crossover)"),
    ("S without relays", ((G, SYNC, "sync_lease_ms = 261"),), ((G, SYNC, "sync_lease_ms = 260"),), None,
     "2 x dead_after_ms 120 + heartbeat_ms 20 + claim timeout 0 + stagger 0 = 260"),
    ("S with relays", ((G, SYNC, "sync_lease_ms = 439"),), ((G, SYNC, "sync_lease_ms = 438"),), BENCH,
     "claim timeout 146 + stagger 32 = 438: the standby would be out of sync when it takes over. write 439"),
    ("C", ((G, "confirm_wait_ms = 600", "confirm_wait_ms = 561"),), ((G, "confirm_wait_ms = 600",
     "confirm_wait_ms = 560"),),
     None, "50 + sync_lease_ms 500 + kernel tick 10 = 560"),
    ("fast", ((G, 'profile = "normal"', 'profile = "fast"\nlease_ms = 25'), (G, DEAD, "dead_after_ms = 65"),
              (G, "heartbeat_ms = 20", "heartbeat_ms = 10")),
     ((G, 'profile = "normal"', 'profile = "fast"\nlease_ms = 60'), (G, DEAD, "dead_after_ms = 65"),
      (G, "heartbeat_ms = 20", "heartbeat_ms = 10")), None, "lease_ms 60 + 1 x heartbeat_ms 10 + kernel tick 10 = 80"),
]  # fmt: skip


@pytest.mark.parametrize(("edits", "relay"), [(b[1], b[3]) for b in BOUNDS], ids=[b[0] for b in BOUNDS])
def test_at_the_bound_is_right(edits: tuple[Edit, ...], relay: RelayTimes | None) -> None:
    assert errors(*edits, relay=relay) == []


@pytest.mark.parametrize(("edits", "relay", "words"), [b[2:] for b in BOUNDS], ids=[b[0] for b in BOUNDS])
def test_beyond_it_is_refused_with_the_numbers(edits: tuple[Edit, ...], relay: RelayTimes | None, words: str) -> None:
    assert any(words.lower() in text.lower() for text in errors(*edits, relay=relay)), errors(*edits, relay=relay)


def test_the_boards_relays_count() -> None:
    late = RelayTimes(watchdog_ms=121, operate_ms=8, release_ms=5, bounce_ms=3, debounce_ms=5)
    short = RelayTimes(watchdog_ms=120, operate_ms=8, release_ms=5, bounce_ms=3, debounce_ms=5, claim_timeout_ms=145)
    assert errors(relay=BENCH) == []
    assert "At most 120 are allowed" in errors(relay=late)[0]
    assert "operate 8 + bounce 3 + debounce 5 + margin 10 = 146" in errors(relay=short)[0]


@pytest.mark.parametrize(("limit", "refused"), [(600, False), (599, True)])
def test_a_confirm_waits_no_longer_than_a_device(limit: int, refused: bool) -> None:
    files = example((G, "[[slave]]\nname =", WITH_104.replace("LIMIT", str(limit))))
    files["rtus.csv"] = "name,host,address,points\nR1,127.20.1.60,12,r.csv\n"
    files["r.csv"] = "name,kind,address\nopen,binary,1001\n"
    texts = [str(f) for f in found(files) if f.code != "not-yet"]
    assert any("wait 599 ms for a confirm" in text for text in texts) is refused
    assert len(texts) == refused


def test_a_profile_brings_defaults_and_a_written_key_wins() -> None:
    lines = "".join(f"{key} = {value}\n" for key, value in (("profile", '"fast"'), ("stall_ms", 18)))
    files = example()
    start = files[G].index("[standby]")
    stop = files[G].index("[[standby.condition]]")
    files[G] = files[G][:start] + "[standby]\n" + lines + files[G][stop:]
    config, findings = parse_group(files)
    assert config is not None, findings
    s = config.standby
    assert (s.heartbeat_ms, s.dead_after_ms, s.lease_ms, s.stall_ms) == (10, 65, 25, 18)
    assert s.paths == ("lan.station", "lan.control"), "every LAN is a path unless paths are named"


def test_a_trip_outlasts_what_a_living_peer_needs_to_give_everything_back() -> None:
    relay = RelayTimes(120, 8, 5, 3, 5, trip_ms=185)
    assert errors(relay=relay) == []
    short = errors(relay=RelayTimes(120, 8, 5, 3, 5, trip_ms=180))
    assert any(
        "lease_ms 60 + stall_ms 45 + two kernel ticks 20 + stagger 32 + operate 8 + margin 10 = 183" in text
        for text in short
    )
    warned = [str(f) for f in found(example(), relay) if f.level == "warning"]
    assert any("takeover that trips the peer may take 623 ms" in text for text in warned)
    assert [f for f in found(example(), BENCH) if "trips" in str(f)] == []
