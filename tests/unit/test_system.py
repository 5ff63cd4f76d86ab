"""The gateway's own points, and the point table: ids, order, and what is member-local."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.config.load import load
from tandem.config.model import Config
from tandem.manage.system_points import page as system_points_page
from tandem.point import Kind
from tandem.registry import PointTable, Registry
from tandem.system import TABLE, device_point, point_table, system_points
from tests.support.configs import EXAMPLE


@pytest.fixture(scope="module")
def config() -> Config:
    return load(EXAMPLE)


@pytest.fixture(scope="module")
def table(config: Config) -> PointTable:
    return point_table(config, Registry())


def test_every_member_path_device_and_center_has_its_points(config: Config) -> None:
    names = {point.name for point in system_points(config)}
    assert {
        "_sys.role_active", "_sys.unprotected", "_sys.in_sync", "_sys.control_unknown", "_sys.path.lan.station",
        "_sys.path.serial.crossover", "_sys.device.F1.ok", "_sys.device.F2.ok", "_sys.master.meters.ok",
        "_sys.center.north.connected", "_sys.center.probe.held", "_sys.slave.scada.intruders", "_sys.link.intruders",
        "_sys.member.a.role", "_sys.member.b.health", "_sys.device.M1.crc_errors", "_sys.lan.station",
        "_sys.relay.own", "_sys.clock_offset_ms", "_sys.last_failover_lines_ms", "_sys.process.worst_turn_ms",
    } <= names  # fmt: skip
    assert len(names) == len(system_points(config))
    assert not any("each" in name for name in names)


def test_what_both_members_tell_is_mirrored(config: Config) -> None:
    mirrored = [point.name for point in system_points(config) if not point.local]
    failover = ("cause", "ms", "detection_ms", "fence_ms", "role_ms", "service_ms", "lines_ms")
    assert mirrored == [
        *(f"_sys.last_failover_{part}" for part in failover),
        "_sys.control_unknown", "_sys.device.F1.ok", "_sys.device.F2.ok", "_sys.device.M1.ok",
    ]  # fmt: skip


def test_the_page_is_what_the_table_says() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "system-points.md"
    cure = "print it anew: python -m tandem system-points > docs/system-points.md"
    assert page.read_text(encoding="utf-8") == system_points_page(), cure


def test_every_row_stands_in_the_page() -> None:
    text = system_points_page()
    for _, each, rows in TABLE:
        for row in rows:
            assert f"`_sys.{row.name.replace('each', each.upper(), 1)}`" in text and row.description in text


def test_ids_follow_the_configuration_points_first(table: PointTable) -> None:
    assert [p.id for p in table.points] == list(range(1, len(table.points) + 1))
    assert [p.name for p in table.points][:2] == ["F1.breaker", "F1.earth_switch"]
    assert table.points[16].name == "M1.alarm" and table.points[17].name == "_sys.role_active"


def test_what_everybody_may_know_of_a_point(table: PointTable) -> None:
    breaker = table.by_name["F1.breaker"]
    assert (breaker.kind, breaker.local, breaker.hot, breaker.states) == (Kind.DOUBLE, False, True, ("open", "closed"))
    assert table.by_id[breaker.device_ok].name == device_point("F1")
    assert table.by_name["F1.voltage_l1"].unit == "V"
    assert table.by_name["_sys.role_active"].local and not table.by_name["_sys.role_active"].device_ok


def test_a_registry_keeps_its_ids_whatever_the_order(config: Config) -> None:
    registry = Registry({"M1.alarm": 900, "gone.point": 901})
    table = point_table(config, registry)
    assert table.id("M1.alarm") == 900 and table.id("F1.breaker") == 902
    assert table.rows == registry.highest + 1
    assert table.digest() == point_table(config, Registry.from_json(registry.to_json())).digest()
