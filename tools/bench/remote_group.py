"""Writes a configuration whose only device is a 104 remote unit with time-tagged events, all served to the probe."""

from __future__ import annotations

from pathlib import Path

DEVICE = "R1"


def write_group(
    source: Path, target: Path, points: int = 60, k: int = 12, w: int = 8, on_standby: str = "none"
) -> None:
    """Copy the group of `source/gateway.toml` (LANs, standby, keys) with one remote unit of about so many points.

    `k` and `w` are the master's; the device has them too. `on_standby`: "connected" needs the members' own addresses.
    """
    text = (source / "gateway.toml").read_text(encoding="utf-8")
    head = text[: text.index("[[master]]")]
    octet = text.partition("127.")[2].partition(".")[0]
    source_address = "own" if on_standby == "connected" else "group"
    target.mkdir(parents=True, exist_ok=True)
    tail = _TAIL.format(k=k, w=w, octet=octet, source=source_address, standby=on_standby)
    (target / "gateway.toml").write_text(head + tail, encoding="utf-8")
    rows, served = ["name,kind,address,feedback,states"], ["point,type,address,control"]
    for kind, type_name, base in _KINDS:  # neighbours of one type: a frame holds several
        for n in range(points // 3):
            name = f"{kind}-{n}"
            rows.append(f"{name},{kind},{base + n},,")
            served.append(f"{DEVICE}.{name},{type_name},{base + n},")
    rows += ["breaker,double,9000,,open|closed", "trip,double-output,9500,breaker within 2000,"]
    rows += ["level,analog-output,9501,,"]
    served += [f"{DEVICE}.breaker,M_DP_TB_1,9000,", f"{DEVICE}.trip,C_DC_NA_1,9500,sbo"]
    served += [f"{DEVICE}.level,C_SE_NC_1,9501,direct", "_sys.role_active,M_SP_TB_1,9900,"]
    (target / "remote.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (target / "served.csv").write_text("\n".join(served) + "\n", encoding="utf-8")


_KINDS = (("binary", "M_SP_TB_1", 1000), ("double", "M_DP_TB_1", 3000), ("analog", "M_ME_TF_1", 5000))
_TAIL = """
[[master]]
name = "remote"
protocol = "iec104"
lan = "station"
source = "{source}"
on_standby = "{standby}"
hot_standby = true
timeout_ms = 2000
k = {k}
w = {w}
t2_s = 1

[[master.device]]
name = "R1"
address = 11
host = "127.{octet}.1.61"
points = "remote.csv"

[[slave]]
name = "scada"
protocol = "iec104"
lan = "control"
tcp_port = 2404
hot_standby = "acquisition-and-control"
common_address = 47
points = "served.csv"

[[slave.center]]
name = "probe"
hosts = ["127.{octet}.2.31/32"]
session = "group"
analog_events = "all"
"""
