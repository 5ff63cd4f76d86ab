"""The example group, whole: the outer contract of the configuration, as the model has it."""

from __future__ import annotations

import pytest

from tandem.config.load import ConfigError, load, verify
from tandem.config.model import Address, Condition, Config, Feedback, Group, LanPort, SerialLine, Time
from tandem.config.timing import RelayTimes
from tandem.point import Kind
from tests.support.configs import EXAMPLE, example, parsed

BENCH = RelayTimes(watchdog_ms=120, operate_ms=8, release_ms=5, bounce_ms=3, debounce_ms=5)


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE, BENCH)


def test_it_has_no_finding() -> None:
    assert verify(str(EXAMPLE), BENCH)[1] == []


def test_group_lans_and_lines(config: Config) -> None:
    assert config.group == Group("cedar-creek", "none", 300)
    assert [lan.name for lan in config.lans] == ["station", "control"]
    station = config.lan("station")
    assert station.group == (Address("127.20.1.10", 24),)
    assert station.members["a"] == LanPort("lo", (Address("127.20.1.11", 24),))
    assert station.members["b"].addresses[0].ip == "127.20.1.12"
    assert config.serial("bus1") == SerialLine(
        "bus1", {"a": "bus1-a", "b": "bus1-b"}, 19200, 8, "even", 1, "rs485-2w", "off", 0, 0, 5, False, "role-relay"
    )
    assert config.serial("crossover").baud == 115200


def test_standby_and_time(config: Config) -> None:
    s = config.standby
    assert (s.heartbeat_ms, s.dead_after_ms, s.sync_lease_ms, s.confirm_wait_ms) == (20, 120, 500, 600)
    assert s.paths == ("lan.station", "lan.control", "serial.crossover")
    assert (s.arbitration, s.partition, s.profile, s.journal, s.promote_unsynced) == (
        "relays", "serve", "normal", "ram", True,
    )  # fmt: skip
    assert (s.soe_records, s.analog_records, s.lease_ms, s.stall_ms) == (65536, 65536, 60, 45)
    assert s.conditions == (Condition("lan.control.down", 500),)
    assert config.time == Time(("ntp",), ("127.20.2.20",), "UTC")


def test_masters_and_devices(config: Config) -> None:
    feeders, meters = config.masters
    assert (feeders.protocol, feeders.serial, feeders.hot_standby, feeders.timeout_ms) == (
        "modbus-rtu",
        "bus1",
        True,
        300,
    )
    assert list(feeders.scan.items()) == [("fast", 200), ("normal", 1000), ("slow", 60000)]
    assert [(d.name, d.address, d.enabled, len(d.points)) for d in feeders.devices] == [
        ("F1", 1, True, 7),
        ("F2", 2, False, 7),
    ]
    assert (meters.protocol, meters.lan, meters.source, meters.on_standby) == ("modbus-tcp", "station", "group", "none")
    (meter,) = meters.devices
    assert (meter.name, meter.host, meter.tcp_port, meter.address) == ("M1", "127.20.1.50", 5020, 1)
    assert meter.options["description"] == "incomer meter"
    assert str(meter.place) == "meters.csv:2"


def test_points(config: Config) -> None:
    points = {p.name: p for m in config.masters for d in m.devices for p in d.points}
    assert len(points) == 17
    breaker = points["F1.breaker"]
    assert (breaker.kind, breaker.address, breaker.scan, breaker.settle_ms) == (
        Kind.DOUBLE,
        "discrete:0+1",
        "fast",
        10000,
    )
    assert breaker.states == ("open", "closed")
    current = points["F2.current_l1"]
    assert (current.encoding, current.scale, current.unit, current.deadband) == ("int16", 0.01, "A", 0.1)
    close = points["F2.trip_close"]
    assert (close.kind, close.pulse_ms, close.scan) == (Kind.DOUBLE_OUTPUT, 500, "")
    assert close.feedback == Feedback("F2.breaker", 3000)
    assert close.interlock == "on: not F2.earth_switch"
    assert points["M1.alarm"].scan == "normal", "an input without a polling group is in the first"
    assert str(points["M1.alarm"].place) == "m1.csv:4"


def test_slave(config: Config) -> None:
    (scada,) = config.slaves
    assert (scada.protocol, scada.lan, scada.tcp_port, scada.common_address) == ("iec104", "control", 2404, 47)
    assert (scada.hot_standby, scada.serve_after, scada.clock_sync) == ("acquisition-and-control", "valid", "answer")
    assert {key: scada.options[key] for key in ("t0_s", "t1_s", "t2_s", "t3_s", "k", "w")} == {
        "t0_s": 30, "t1_s": 15, "t2_s": 10, "t3_s": 20, "k": 12, "w": 8,
    }  # fmt: skip
    assert [(c.name, c.hosts, c.session) for c in scada.centers] == [
        ("north", ("127.0.0.1/32",), "group"),
        ("probe", ("127.20.2.31/32",), "group"),
    ]
    rows = {row.point: row for row in scada.rows}
    assert len(rows) == 11
    assert (rows["F1.current_l1"].type, rows["F1.current_l1"].scale, rows["F1.current_l1"].group) == (
        "M_ME_TE_1",
        100,
        2,
    )
    assert (rows["F1.trip_close"].control, rows["F1.trip_close"].address) == ("sbo", "5001")


def test_the_digest_is_of_the_files_in_use() -> None:
    first, _ = parsed(example())
    assert first is not None and len(first.digest) == 64
    unused, _ = parsed(example(("example-dnp3-slave-list.csv", "F1.breaker", "F9.breaker")))
    used, _ = parsed(example(("m1.csv", "kvar", "kVAr")))
    assert unused is not None and used is not None
    assert unused.digest == first.digest != used.digest


def test_every_fault_of_every_file_is_found_in_one_run() -> None:
    files = example(
        ("gateway.toml", "baud = 19200", "baud = 1"), ("gateway.toml", "address = 2\n", "address = 999\n"),
        ("m1.csv", "float32-abcd", "float"), ("feeder-relay.csv", "earth_switch,binary", "earth_switch,bit"),
        ("scada.csv", "M_IT_TB_1", "M_IT"),
    )  # fmt: skip
    config, findings = parsed(files)
    assert config is None
    assert [f.partition(": ")[0] for f in findings] == [
        "gateway.toml:32", "gateway.toml:92", "feeder-relay.csv:3", "m1.csv:2", "scada.csv:6",
    ]  # fmt: skip


def test_load_raises_all_of_them(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(ConfigError, match=r"there is no gateway\.toml"):
        load(str(tmp_path))
    with pytest.raises(ConfigError, match="cannot be read"):
        load(f"{tmp_path}/nowhere")
