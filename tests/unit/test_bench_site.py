"""Any station as a lab: addresses to loopback, centers to the bench's, serial ports to ptys."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.config.load import load
from tools.bench.group import free_octet, relocate
from tools.bench.plan import read_plan
from tools.bench.processes import ROOT
from tools.bench.served import probe_source, served
from tools.bench.site import prepare

EXAMPLE = ROOT / "tools" / "example-group"


def station(folder: Path) -> Path:
    """The example as a real station would have it: addresses of a plant, ports of its own."""
    folder.mkdir()
    for file in EXAMPLE.iterdir():
        if file.suffix in (".toml", ".csv"):
            text = file.read_text().replace("127.20.1.", "10.1.7.").replace("127.20.2.", "10.1.8.")
            text = text.replace("127.0.0.1/32", "10.9.0.0/16").replace('"bus1-', '"rs485-')
            (folder / file.name).write_text(text)
    return folder


def test_the_example_moves_as_it_is(tmp_path: Path) -> None:
    config, board = prepare(EXAMPLE, tmp_path, 33)
    plan = read_plan(config, board)
    assert plan.devices == (("station", "127.33.1.50", 5020),)
    assert probe_source(load(str(config))) == "127.33.2.31"
    assert [line.links for line in plan.lines if line.kind == "field"] == [
        {"a": "bus1-a", "b": "bus1-b", "field": "bus1-field"}
    ]


def test_a_station_of_other_addresses_becomes_a_lab(tmp_path: Path) -> None:
    config_folder, board = prepare(station(tmp_path / "station"), tmp_path / "run", 33)
    config = load(str(config_folder))
    plan = read_plan(config_folder, board)
    addresses = [ip for lan in plan.lans for ip in (*lan.group, *lan.own["a"], *lan.own["b"])]
    assert len(set(addresses)) == 6 and all(ip.startswith("127.33.") for ip in addresses)
    assert plan.devices[0][1].startswith("127.33.7.")
    assert served(config).host == "127.33.8.10"
    assert probe_source(config) == "127.33.254.31"
    assert 'rs485-a = "$TANDEM_BENCH/rs485-a"' in (board / "board.toml").read_text()


def test_an_octet_belongs_to_one_bench(tmp_path: Path) -> None:
    first = free_octet()
    with pytest.raises(OSError, match="taken by another bench"):
        free_octet(first.number)
    first.close()
    free_octet(first.number).close()
    with pytest.raises(ValueError, match="the planes need one from 1 to 54"):
        relocate(EXAMPLE, tmp_path, 55)
