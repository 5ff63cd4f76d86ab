"""The decode verb over captures made here: every frame once, with direction, time and meaning; never an exception."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.manage.decode import explain, run, text
from tests.support.captures import ACK, SYN, Tcp, link, packet, pcap, pcapng

CENTER, GATEWAY = ("127.20.2.31", 40000), ("127.20.2.10", 2404)
STARTDT_ACT, STARTDT_CON = bytes.fromhex("680407000000"), bytes.fromhex("68040b000000")
SINGLE_ON = bytes.fromhex("680e0000000001010300 2f00 e90300 01".replace(" ", ""))
READ, READ_REPLY = bytes.fromhex("000700000006010400000002"), bytes.fromhex("00070000000701040400e60001")


def capture(*parts: Tcp, kind: int = 1) -> bytes:
    return pcap([link(packet(part), kind) for part in parts], kind)


IEC = capture(
    Tcp(CENTER, GATEWAY, 99, flags=SYN),
    Tcp(GATEWAY, CENTER, 499, flags=SYN | ACK),
    Tcp(CENTER, GATEWAY, 100, STARTDT_ACT),
    Tcp(GATEWAY, CENTER, 500, STARTDT_CON + SINGLE_ON[:5]),
    Tcp(GATEWAY, CENTER, 511, SINGLE_ON[5:]),
    Tcp(GATEWAY, CENTER, 511, SINGLE_ON[5:]),
)
MODBUS = capture(
    Tcp(("10.0.0.1", 40001), ("10.0.0.9", 1502), 99, flags=SYN),
    Tcp(("10.0.0.1", 40001), ("10.0.0.9", 1502), 100, READ),
    Tcp(("10.0.0.9", 1502), ("10.0.0.1", 40001), 700, READ_REPLY),
)


def test_iec104_frames_with_direction_time_and_meaning() -> None:
    act, con, single = list(explain(IEC, "iec104", set()))
    assert (act["from"], act["to"]) == ("127.20.2.31:40000", "127.20.2.10:2404")
    assert act["time"] == "1970-01-01T00:16:40.003000Z"
    assert (act["function"], con["function"]) == ("STARTDT act", "STARTDT con")
    assert single["octets"] == SINGLE_ON.hex()
    assert (single["packet"], single["name"], single["ca"]) == (5, "M_SP_NA_1", 47)
    assert single["objects"] == [{"ioa": 1001, "value": 1, "quality": single["objects"][0]["quality"]}]


def test_modbus_on_any_port_where_none_is_the_standard_one() -> None:
    request, reply = list(explain(MODBUS, "modbus", set()))
    assert (request["direction"], request["first"], request["count"]) == ("request", 0, 2)
    assert (reply["direction"], reply["values"]) == ("reply", [230, 1])
    assert list(explain(MODBUS, "modbus", {503})) == []


def test_the_server_is_known_by_its_port_when_the_start_was_not_captured() -> None:
    middle = capture(Tcp(("10.0.0.9", 502), ("10.0.0.1", 40001), 700, READ_REPLY))
    (reply,) = list(explain(middle, "modbus", set()))
    assert reply["direction"] == "reply"


def test_pcapng_says_the_same() -> None:
    frames = [link(packet(Tcp(CENTER, GATEWAY, 100, STARTDT_ACT)), 1)]
    (found,) = list(explain(pcapng(frames), "iec104", set()))
    assert found["function"] == "STARTDT act"


def test_a_gap_a_broken_frame_and_a_cut_one_each_get_an_error_and_the_rest_is_read() -> None:
    found = list(
        explain(
            capture(
                Tcp(CENTER, GATEWAY, 100, STARTDT_ACT),
                Tcp(CENTER, GATEWAY, 106, b"\x69\x04"),
                Tcp(CENTER, GATEWAY, 108, STARTDT_ACT[:4]),
                Tcp(CENTER, GATEWAY, 120, STARTDT_ACT),
                Tcp(CENTER, GATEWAY, 126, STARTDT_ACT[:3]),
            ),
            "iec104",
            set(),
        )
    )
    told = [meaning.get("function") or meaning["error"] for meaning in found]
    assert told[0] == told[4] == "STARTDT act"
    assert "0x69" in str(told[1])
    assert told[2:4] == [
        "the frame ends here, after 4 octets",
        "8 octets are missing from the capture before this place",
    ]
    assert told[5:] == ["the frame ends here, after 3 octets"]


def test_a_file_that_is_no_capture_is_one_error_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(b"hello world")
    assert run(["--protocol", "modbus", "--json", str(file)]) == 1
    assert list(json.loads(capsys.readouterr().out)) == ["error"]
    assert run(["--protocol", "modbus", str(tmp_path / "none")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_json_is_one_object_a_line_and_the_listing_is_aligned(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "x.pcap"
    file.write_bytes(IEC)
    assert run(["--protocol", "iec104", "--json", str(file)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["octets"] for line in lines] == [STARTDT_ACT.hex(), STARTDT_CON.hex(), SINGLE_ON.hex()]
    assert run(["--protocol", "iec104", str(file)]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if re.match(r"\d{4}-", line)]
    assert [line[74].isspace() for line in heads] == [False] * 3
    assert {line[72:74] for line in heads} == {"  "}
    assert "M_SP_NA_1 spontaneous" in re.sub(r"\S+=\S+ ", "", heads[2])


@given(st.binary(max_size=120), st.integers(0, len(IEC)), st.sampled_from(["modbus", "iec104"]))
def test_no_payload_and_no_damage_raises(octets: bytes, at: int, protocol: str) -> None:
    broken = IEC[:at] + octets + IEC[at + len(octets) :]
    payload = capture(Tcp(CENTER, GATEWAY, 100, octets), Tcp(GATEWAY, CENTER, 100, octets))
    for file in (broken, payload, octets):
        for meaning in explain(file, protocol, set()):
            assert json.dumps(meaning, allow_nan=False)
            assert text(meaning)
