"""Lists: delimiters, marks, comments, columns in any order, and what is wrong with a row."""

from __future__ import annotations

import pytest

from tandem.config.load import parse_octets
from tests.support.configs import example, parsed

PLAIN = "name,kind,address,scale,deadband\nv,analog,holding:0,0.5,\nalarm,binary,holding:4.3,,\n"


def octets(m1: bytes) -> dict[str, bytes]:
    files = {name: text.encode() for name, text in example(("scada.csv", "M1.active_power", "M1.v")).items()}
    return {**files, "m1.csv": m1}


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        "# measured\n" + PLAIN.replace("alarm", "# no alarm\n\nalarm"),
        "deadband,scale,address,kind,name\n,0.5,holding:0,analog,v\n,,holding:4.3,binary,alarm\n",
        "name, Kind ,address,scale\nv , analog,holding:0, 0.5\nalarm,binary,holding:4.3\n",
        PLAIN.replace("v,analog", '"v","analog"').replace("deadband\n", "deadband,,\n"),
    ],
    ids=["comma", "semicolon", "tab", "crlf", "cr", "mark", "comments", "order", "spaces", "quotes"],
)
def test_one_list_in_many_dresses(text: str) -> None:
    config, findings = parse_octets(octets(text.encode()))
    assert config is not None, list(map(str, findings))
    points = config.masters[1].devices[0].points
    assert [(p.name, p.address, p.scale, p.deadband, p.scan) for p in points] == [
        ("M1.v", "holding:0", 0.5, 0.0, "normal"),
        ("M1.alarm", "holding:4.3", 1.0, 0.0, "normal"),
    ]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", "m1.csv:1", "is empty"),
        ("# only this\n", "m1.csv:1", "is empty"),
        (PLAIN.replace(",", ";").replace("0.5", "0,5"), "m1.csv:2", "Write 0.5"),
        (PLAIN.replace("alarm,binary", ",binary"), "m1.csv:3", 'the cell of "name" is empty'),
        (PLAIN.replace("0.5", "x" * 5000), "m1.csv:2", "has 5020 letters"),
        (PLAIN.replace("0.5", "0x5"), "m1.csv:2", "is not a number"),
        (PLAIN.replace("0.5", "1e999"), "m1.csv:2", "no number to reckon with"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, place: str, words: str) -> None:
    _, findings = parse_octets(octets(text.encode()))
    assert any(str(f.place) == place and words in str(f) for f in findings), list(map(str, findings))


def test_octets_that_are_not_text() -> None:
    config, findings = parse_octets(octets(PLAIN.encode() + b"caf\xe9,binary,coil:1,,\n"))
    assert config is None
    assert "m1.csv:4: octet 0xe9 is not UTF-8. Save the file as UTF-8" in map(str, findings)


def test_a_list_of_another_that_nobody_uses_may_be_anything() -> None:
    config, findings = parse_octets({**octets(PLAIN.encode()), "photo.csv": b"\xff\xd8\xff"})
    assert config is not None and findings == []


def test_faults_beyond_the_limit_are_counted() -> None:
    rows = "".join(f"p{i},binary,holding:{i}\n" for i in range(1000))
    config, findings = parsed({**example(), "m1.csv": "name,kind,address\n" + rows})
    assert config is None
    assert "502 more faults are not shown" in findings[-1] and len(findings) == 501


def test_one_fault_of_a_list_that_forty_devices_share_is_one_finding() -> None:
    _, findings = parsed(example(("feeder-relay.csv", "not earth_switch", "not erth_switch")))
    assert len(findings) == 1
