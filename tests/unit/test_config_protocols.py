"""Every key of every protocol is known; one whose engine is not there yet is answered so, and verified all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tandem.codec.iec60870.types import SLAVE_CONTROL, SLAVE_MONITOR
from tandem.config import schema_iec
from tandem.config.keys import Key
from tandem.config.load import parse_group
from tandem.config.protocols import PROTOCOLS
from tests.support.configs import EXAMPLE, example, found, parsed
from tools.bench.remote_group import write_group

STRUCTURE = {"device", "devices", "center", "lan", "serial", "name", "protocol", "points", "hosts"}
ADDRESSES = {"modbus": ("holding:1", "coil:1"), "dnp3": ("analog:1", "crob:1"), "iec60870": ("1", "2")}
ROWS = {
    "modbus": "point,address\nX.v,holding:1\nX.o,coil:1\n",
    "dnp3": "point,type,address,class,variation,event_variation\nX.v,analog,1,2,g30v5,g32v7\nX.o,crob,1,,,\n",
    "iec60870": "point,type,address\nX.v,M_ME_NC_1,1\nX.o,C_SC_NA_1,2\n",
}


def written(keys: tuple[Key, ...]) -> str:
    """Every key that is not structure, at its default or a value that fits."""
    lines = []
    for key in keys:
        if key.name in STRUCTURE:
            continue
        value = key.default if key.default is not None else (key.choices or (1,))[0]
        if key.type == "periods":
            text = "{ normal = 1000 }"
        elif key.type == "texts":
            text = json.dumps(list(value) if isinstance(value, tuple) else [])
        else:
            text = json.dumps(value)
        if key.name == "host":
            text = '"127.20.1.77"'
        lines.append(f"{key.name} = {text}")
    return "\n".join(lines)


def group(protocol: str) -> dict[str, str]:
    """The example with a master and a slave of one protocol, every key of it written."""
    p = PROTOCOLS[protocol]
    files = example()
    place = 'serial = "bus2"' if p.serial else 'lan = "station"'
    other = 'serial = "bus3"' if p.serial else 'lan = "control"'
    hosts = "" if p.serial else 'hosts = ["127.20.2.99"]'
    lines = "".join(
        f'[serial.{n}]\na = "{n}-a"\nb = "{n}-b"\nswitched = "role-relay"\n' for n in ("bus2", "bus3") if p.serial
    )
    files["gateway.toml"] += f"""
{lines}
[[master]]
name = "m"
protocol = "{protocol}"
{place}
{written(p.master)}
[[master.device]]
name = "X"
points = "x.csv"
{written(p.device)}
[[slave]]
name = "s"
protocol = "{protocol}"
{other}
points = "rows.csv"
{written(p.slave).replace("tcp_port = 2404", "tcp_port = 2499")}
[[slave.center]]
name = "c"
{hosts}
{written(p.center)}
"""
    value, output = ADDRESSES[p.family]
    files["x.csv"] = f"name,kind,address\nv,analog,{value}\no,binary-output,{output}\n"
    files["rows.csv"] = ROWS[p.family]
    return files


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_every_key_of_a_protocol_is_known(protocol: str) -> None:
    findings = found(group(protocol))
    p = PROTOCOLS[protocol]
    expected = [f"{protocol}: not in this version yet as a master"] * (not p.master_ready)
    expected += [f"{protocol}: not in this version yet as a slave"] * (not p.slave_ready)
    assert [f.wrong for f in findings] == expected
    assert all(f.code == "not-yet" for f in findings)


def test_the_engines_of_this_version() -> None:
    assert {p.name for p in PROTOCOLS.values() if p.master_ready} == {"modbus-rtu", "modbus-tcp", "iec104"}
    assert {p.name for p in PROTOCOLS.values() if p.slave_ready} == {"iec104"}


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_an_unknown_key_is_told_from_one_to_come(protocol: str) -> None:
    files = group(protocol)
    files["gateway.toml"] = files["gateway.toml"].replace("\npoints = ", "\nfrobnicate = 1\npoints = ")
    codes = [f.code for f in found(files) if "frobnicate" in f.wrong]
    assert codes == ["unknown-key"] * 5, "once each: F1, F2 and scada of the example, and our device and slave"


def test_the_dnp3_list_of_the_example() -> None:
    files = group("dnp3-tcp")
    files["gateway.toml"] = files["gateway.toml"].replace("rows.csv", "example-dnp3-slave-list.csv")
    assert {f.code for f in found(files)} == {"not-yet"}
    wrong = {
        "double,0,1,g3v2": ("double,0,1,g1v2", "not one of a double"),
        "analog,0": ("counter,1", "counter cannot serve a analog"),
        "counter,0": ("counter,x", "is no index"),
        "crob,0": ("binary,0", "control is for commands only"),
        "F1.breaker": ("F1.trip_close", "double cannot serve a double-output"),
        "g22v5": ("g22v99", "not one of a counter"),
        ",1,g3": (",4,g3", "from 0 to 3"),
    }
    for old, (new, words) in wrong.items():
        text = example()["example-dnp3-slave-list.csv"]
        assert old in text
        faults = [str(f) for f in found({**files, "example-dnp3-slave-list.csv": text.replace(old, new, 1)})]
        assert any(words in fault for fault in faults), (new, faults)


def test_a_slave_serves_on_the_standby_only_over_a_line_of_its_own() -> None:
    files = group("iec101")
    text = files["gateway.toml"]
    head, tail = text[: text.index('protocol = "iec101"')], text[text.index('protocol = "iec101"') :]
    tail = tail.replace('hot_standby = "disabled"', 'hot_standby = "acquisition"')
    shared = [f.wrong for f in found({**files, "gateway.toml": head + tail}) if f.code == "fault"]
    assert shared == ['slave "s" serves on the standby, line bus3 is the active\'s']
    bus3 = head.index("[serial.bus3]")
    head = head[:bus3] + head[bus3:].replace('"role-relay"', '"own"')
    assert [f for f in found({**files, "gateway.toml": head + tail}) if f.code == "fault"] == []


def test_a_modbus_row_without_sense() -> None:
    for row, words in (
        ("X.v,coil:1", "cannot serve a analog"),
        ("X.v,holding:70000", "is too high"),
        ("X.o,discrete:1", "cannot be written"),
        ("X.o,coil:1\nX.o,coil:1", "is taken by X.o (line 2)"),
    ):
        files = {**group("modbus-tcp"), "rows.csv": f"point,address\n{row}\n"}
        assert any(words in str(f) and f.place.file == "rows.csv" for f in found(files)), row


def test_warnings_do_not_refuse() -> None:
    config, findings = parse_group(
        example(
            ("gateway.toml", ', "lan.control", "serial.crossover"]', "]"),
            ("gateway.toml", "# t0_s t1_s", "k = 10 #"),
            ("gateway.toml", 'controls = "any"', 'controls = "none"'),
            ("feeder-relay.csv", "not earth_switch", "not F2.earth_switch"),
            ("gateway.toml", 'rts = "off"', 'rts = "on"'),
            ("gateway.toml", "rts_lead_ms = 0 ", "rts_lead_ms = 3 "),
        )
    )
    assert config is not None
    words = [
        "only heartbeat path",
        "two thirds",
        "refuses every control",
        "disabled device",
        "keyed",
    ]
    told = "\n".join(map(str, findings))
    assert [word for word in words if word not in told] == []
    assert {f.level for f in findings} == {"warning"}


def test_the_types_of_a_104_list_are_those_that_its_engine_serves() -> None:
    schema = {name for name in schema_iec.TYPES_104 if name[:4] not in schema_iec.NOT_YET_FAMILIES}
    assert schema == SLAVE_MONITOR | SLAVE_CONTROL


def test_a_standby_that_is_connected_uses_its_own_address(tmp_path: Path) -> None:
    write_group(EXAMPLE, tmp_path, 3, on_standby="connected")
    files = {file.name: file.read_text(encoding="utf-8") for file in tmp_path.iterdir()}
    config, said = parsed(files)
    assert config is not None and config.masters[0].on_standby == "connected", said
    files["gateway.toml"] = files["gateway.toml"].replace('source = "own"', 'source = "group"')
    config, said = parsed(files)
    assert config is None and any('does not have the group address' in text for text in said)
