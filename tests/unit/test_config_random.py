"""Whatever the files hold, verification answers with findings and never raises; and it is quick."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.config.load import parse_octets
from tests.support.configs import example

_WHOLE = {name: text.encode() for name, text in example().items()}
_NAMES = st.sampled_from(sorted(_WHOLE))


def refused(files: dict[str, bytes]) -> bool:
    config, findings = parse_octets(files)
    assert all(str(f.place) and f.wrong and f.right for f in findings)
    assert (config is None) == any(f.level == "error" for f in findings)
    return config is None


@given(st.dictionaries(st.sampled_from(["gateway.toml", "m1.csv", "x.csv"]), st.binary(max_size=200), max_size=3))
def test_octets(files: dict[str, bytes]) -> None:
    assert refused(files)


@settings(max_examples=300)
@given(_NAMES, st.integers(0, 10_000), st.integers(0, 40), st.binary(max_size=12))
def test_a_piece_of_the_example_replaced(name: str, start: int, length: int, new: bytes) -> None:
    old = _WHOLE[name]
    start %= len(old)
    assert refused({**_WHOLE, name: old[:start] + new + old[start + length :]}) in (True, False)


_TOML_VALUES = st.sampled_from(
    ['""', '"x"', "0", "-1", "9" * 30, "1.5", "nan", "inf", "true", "[]", '["x", 1]', "{}", "{ a = 1 }", "[{ }]",
     "1979-05-27", '"127.20.1.0/24"', '"slave:"', '"lan."', "[[[]]]", '"\\u0000"', '"' + "(" * 300 + '"']
)  # fmt: skip


@settings(max_examples=400)
@given(st.integers(0, 200), _TOML_VALUES)
def test_a_value_of_another_type_at_any_key(line: int, value: str) -> None:
    lines = _WHOLE["gateway.toml"].decode().split("\n")
    keys = [i for i, text in enumerate(lines) if "=" in text and not text.startswith("#")]
    at = keys[line % len(keys)]
    lines[at] = f"{lines[at].partition('=')[0]}= {value}"
    assert refused({**_WHOLE, "gateway.toml": "\n".join(lines).encode()}) in (True, False)


@settings(max_examples=400)
@given(
    st.sampled_from(["feeder-relay.csv", "m1.csv", "meters.csv", "scada.csv"]),
    st.integers(0, 500),
    st.one_of(st.text(max_size=12), st.sampled_from(["-", "9" * 25, "not", "a within 1", "on:", "é", "g1v1", "1:1"])),
)
def test_any_cell_replaced(name: str, number: int, new: str) -> None:
    lines = _WHOLE[name].decode().split("\n")
    row = number % len(lines)
    cells = lines[row].split(",")
    cells[number % len(cells)] = new
    lines[row] = ",".join(cells)
    assert refused({**_WHOLE, name: "\n".join(lines).encode()}) in (True, False)


def test_lists_nested_beyond_reason() -> None:
    assert refused({"gateway.toml": b"x = " + b"[" * 50_000})


def test_fifty_thousand_points_load_in_seconds() -> None:
    devices = "name,host,address,points\n" + "".join(f"D{i},10.{i // 250}.{i % 250}.9,1,d.csv\n" for i in range(1000))
    points = "name,kind,address,encoding,scale\n" + "".join(f"p{i},analog,holding:{i},uint16,0.1\n" for i in range(48))
    points += "ok,binary,coil:1,,\ntrip,binary-output,coil:2,,\n"
    rows = "point,type,address\n" + "".join(
        f"D{i}.p{k},M_ME_TF_1,{i * 50 + k + 1}\n" for i in range(1000) for k in range(48)
    )
    files = {**_WHOLE, "meters.csv": devices.encode(), "d.csv": points.encode(), "scada.csv": rows.encode()}
    start = time.perf_counter()
    config, findings = parse_octets(files)
    took = time.perf_counter() - start
    assert config is not None, [str(f) for f in findings[:5]]
    assert sum(len(d.points) for d in config.masters[1].devices) == 50_000
    assert took < 10, f"{took:.1f} s"


def test_twenty_thousand_faults_are_told_in_seconds() -> None:
    points = "name,kind,address,interlock\n" + "".join(f"p{i},binary-output,coil:{i},x{i}\n" for i in range(20_000))
    rows = "point,type,address\n" + "".join(f"M1.y{i},M_SP_TB_1,{i + 1}\n" for i in range(20_000))
    start = time.perf_counter()
    config, findings = parse_octets({**_WHOLE, "m1.csv": points.encode(), "scada.csv": rows.encode()})
    took = time.perf_counter() - start
    assert config is None and len(findings) == 501
    assert took < 30, f"{took:.1f} s"
