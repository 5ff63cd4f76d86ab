"""Lists of 104 remote units: what `tandem check` says of them."""

from __future__ import annotations

import pytest

from tests.support.configs import example, parsed

MASTER = """
[[master]]
name = "remotes"
protocol = "iec104"
lan = "station"
hot_standby = true
k = 12
w = 8

[[master.device]]
name = "R1"
address = 11
host = "127.20.1.61"
second_host = "127.20.1.62"
points = "remote.csv"

[[slave]]"""
LIST = """name,kind,address,deadband,feedback,type,select
breaker,double,1001,,,,
far,binary,50:7,,,,
trip,double-output,5001,,breaker within 2000,,yes
level,analog-output,5002,,,C_SE_NB_1,
"""


def findings(old: str = "", new: str = "", master: tuple[str, str] = ("", "")) -> list[str]:
    """Of the example with a remote unit, some text of its list or its master replaced."""
    assert old in LIST
    assert master[0] in MASTER
    files = example(("gateway.toml", "\n[[slave]]", MASTER.replace(*master, 1) if master[0] else MASTER))
    files["remote.csv"] = LIST.replace(old, new, 1)
    return parsed(files)[1]


def test_a_sound_list() -> None:
    assert findings() == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("far,binary,50:7", "far,binary,1001", 'is object 1001, which feeds "breaker" already'),
        ("C_SE_NB_1", "C_DC_NA_1", "is no command for kind analog-output"),
        ("C_SE_NB_1", "C_SE_NQ_1", "Write one of C_SE_NA_1, C_SE_NB_1, C_SE_NC_1, C_BO_NA_1"),
        ("far,binary,50:7,,,,", "far,binary,50:7,,,M_SP_NA_1,", "type is of outputs"),
        ("far,binary,50:7,,,,", "far,binary,50:7,,,,no", "select is of outputs"),
        ("50:7", "70000:7", "common address 70000"),
        ("5002", "5001", "writes station 0:5001, which"),
    ],
)
def test_what_is_wrong_with_a_row(old: str, new: str, words: str) -> None:
    assert any(words in text for text in findings(old, new)), findings(old, new)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("w = 8", "w = 13", "w = 13 is above k = 12"),
        ("hot_standby = true", "link_timeout_ms = 500", "which may be held back for confirm_wait_ms = 600"),
        ('second_host = "127.20.1.62"', 'second_host = "relay"', "relay"),
    ],
)
def test_what_is_wrong_with_a_master(old: str, new: str, words: str) -> None:
    found = findings(master=(old, new))
    assert any(words in text for text in found), found
