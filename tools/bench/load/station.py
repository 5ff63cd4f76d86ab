"""Writes a configuration with many points of four types, whose only device is not wired: the load writes its points."""

from __future__ import annotations

from pathlib import Path

TYPES = ("M_SP_TB_1", "M_DP_TB_1", "M_ME_TE_1", "M_ME_TF_1")
_KINDS = {"M_SP_TB_1": "binary", "M_DP_TB_1": "double", "M_ME_TE_1": "analog", "M_ME_TF_1": "analog"}
_ADDRESS = {"binary": "discrete:{0}", "double": "discrete:{0}+{1}", "analog": "holding:{0}"}


def point_name(type_name: str, index: int) -> str:
    """The full name of a point of that type."""
    return f"L.{_KINDS[type_name]}-{type_name.lower().replace('_', '-')}-{index}"


def write_station(
    source: Path, target: Path, per_type: int, k: int, w: int, types: tuple[str, ...] = TYPES, ring: int = 65_536
) -> None:
    """Copy the group of `source/gateway.toml` (LANs, standby, keys) with a load device and one slave of these types."""
    text = (source / "gateway.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[master]]")].replace("_records = 65536", f"_records = {ring}")
    target.mkdir(parents=True, exist_ok=True)
    (target / "gateway.toml").write_text(head + _TAIL.format(k=k, w=w, octet=_octet(text)), encoding="utf-8")
    points, rows = ["name,kind,address"], ["point,type,address"]
    number = 0
    for which, type_name in enumerate(types):
        kind = _KINDS[type_name]
        for index in range(per_type):
            name = point_name(type_name, index)
            points.append(f"{name.removeprefix('L.')},{kind},{_ADDRESS[kind].format(number, number + 1)}")
            rows.append(f"{name},{type_name},{(which + 1) * 10000 + index}")
            number += 2
    (target / "load.csv").write_text("\n".join(points) + "\n", encoding="utf-8")
    (target / "served.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _octet(text: str) -> str:
    return text.partition("127.")[2].partition(".")[0]


_TAIL = """
[[master]]
name = "load"
protocol = "modbus-tcp"
lan = "station"
hot_standby = true
scan = {{ normal = 1000 }}

[[master.device]]
name = "L"
address = 1
host = "127.{octet}.1.50"
tcp_port = 5020
points = "load.csv"
enabled = false

[[slave]]
name = "scada"
protocol = "iec104"
lan = "control"
tcp_port = 2404
hot_standby = "disabled"
common_address = 47
points = "served.csv"
serve_after = "at-once"
k = {k}
w = {w}

[[slave.center]]
name = "probe"
hosts = ["127.{octet}.2.31/32"]
session = "group"
analog_events = "all"
"""
