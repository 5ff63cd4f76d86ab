"""tshark reads the same captures: as many frames, at the same places, and none malformed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tandem.manage.decode import explain
from tests.unit.test_decode import IEC, MODBUS


@pytest.mark.parametrize(
    ("capture", "protocol", "port", "field"),
    [(IEC, "iec104", "2404,iec60870_104", "iec60870_104.apdulen"), (MODBUS, "modbus", "1502,mbtcp", "mbtcp.trans_id")],
    ids=["iec104", "modbus"],
)
def test_tshark_finds_the_same_frames(tmp_path: Path, capture: bytes, protocol: str, port: str, field: str) -> None:
    if not shutil.which("tshark"):
        pytest.skip("peer missing: tshark (apt-get install tshark)")
    file = tmp_path / "x.pcap"
    file.write_bytes(capture)
    command = ["tshark", "-n", "-r", str(file), "-d", f"tcp.port=={port}", "-T", "fields", "-e", "frame.number"]
    command += ["-e", field, "-e", "_ws.malformed"]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    theirs = [int(number) for number, found, _ in rows for _ in found.split(",") if found]
    assert not [row for row in rows if row[2]]
    assert [m["packet"] for m in explain(capture, protocol, set())] == theirs
