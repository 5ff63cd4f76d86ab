"""The key that permits remote control: an expression over points, verified with the configuration."""

from __future__ import annotations

import pytest

from tests.support.configs import example, parsed

GROUP = 'preferred = "none"'
SLAVE = 'controls = "any"'


def verified(key: str, value: str) -> tuple[bool, str]:
    """(accepted, findings in one text) of a `remote` for the group or for the slave."""
    after = GROUP if key == "group" else SLAVE
    config, findings = parsed(example(("gateway.toml", after, f'remote = "{value}"\n{after}')))
    return config is not None, " ".join(findings)


@pytest.mark.parametrize("key", ["group", "slave"])
def test_an_expression_over_binary_and_double_points_is_taken(key: str) -> None:
    for text in ("M1.alarm", "not F1.earth_switch and (F1.breaker or _sys.clock_synced)"):
        assert verified(key, text) == (True, "")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("M1.alrm", '"M1.alrm", which is no point'),
        ("F1.voltage_l1", "is a analog"),
        ("M1.alarm and", "remote of"),
        ("(", "remote of"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, wrong: str) -> None:
    for key in ("group", "slave"):
        accepted, findings = verified(key, text)
        assert not accepted and wrong in findings and "gateway.toml:" in findings


def test_no_slave_is_named_as_the_local_api_is() -> None:
    config, findings = parsed(example(("gateway.toml", 'name = "scada"', 'name = "local"')))
    assert config is None and "Choose another name" in " ".join(findings)
