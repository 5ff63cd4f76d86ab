"""The example group with a remote unit that talks IEC 104 beside its Modbus devices, as the stories tell it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tandem.config.files import read_folder
from tandem.config.finding import ConfigError
from tandem.config.load import parse_octets
from tandem.config.model import Config
from tools.sim.unit import ADDRESS, BREAKER, DOOR, LEVEL

EXAMPLE = Path(__file__).resolve().parents[1] / "example-group"
MASTER = f"""
[[master]]
name = "units"
protocol = "iec104"
lan = "station"
source = "group"
hot_standby = true
timeout_ms = 1000
k = 12
w = 4
t2_s = 1

[[master.device]]
name = "U1"
address = {ADDRESS}
host = "127.20.1.61"
points = "unit.csv"
"""
POINTS = {DOOR: "U1.door", BREAKER: "U1.breaker", LEVEL: "U1.level"}
"""The unit's points by information object address."""
LIST = f"name,kind,address\ndoor,binary,{DOOR}\nbreaker,double,{BREAKER}\nlevel,analog,{LEVEL}\n"
SERVED = f"""U1.door,M_SP_TB_1,{DOOR},1,,,,,
U1.breaker,M_DP_TB_1,{BREAKER},1,,,,,
U1.level,M_ME_TF_1,{LEVEL},2,,,,,
"""


@cache
def with_unit() -> Config:
    """The example's configuration and the unit's. Raises tandem.config.load.ConfigError."""
    files = dict(read_folder(str(EXAMPLE)))
    files["gateway.toml"] += MASTER.encode()
    files["unit.csv"] = LIST.encode()
    files["scada.csv"] = files["scada.csv"].rstrip() + b"\n" + SERVED.encode()
    config, findings = parse_octets(files)
    if config is None:
        raise ConfigError(findings)
    return config
