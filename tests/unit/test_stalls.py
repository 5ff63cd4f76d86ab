"""Which profile a measurement allows, who refuses a start without one, and that the measurement itself works."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.config.stalls import FILE, Measured, Stalls, against, may_use, refusal
from tandem.manage import bench, check, gateway
from tandem.manage.pair import pair
from tests.support.configs import example

QUIET = Stalls(0.1, 0.5, 2.0, 4.0, 720_000)
KERNEL = os.uname().release
GOOD = Measured(60, QUIET, QUIET, KERNEL, "aarch64", 4, "", "full", "2026-01-01T00:00:00+00:00")


def late(heart_ms: float, supervisor_ms: float) -> Measured:
    return replace(GOOD, heart=replace(QUIET, worst_ms=heart_ms), supervisor=replace(QUIET, worst_ms=supervisor_ms))


@pytest.mark.parametrize(
    ("profile", "heart_ms", "supervisor_ms", "words"),
    [
        ("fast", 4, 4, ""),
        ("fast", 19.9, 9.9, ""),
        ("fast", 20, 4, "lease_ms = 25 is not above the heart's worst stall 20.0 + renewal 5"),
        ("fast", 4, 10, "stall_ms = 20 is not above the supervisor's worst stall 10.0 + 10"),
        ("fast", 30.1, 4, "dead_after_ms = 65 is below 1.5 x worst stall 30.1 + 2 x heartbeat_ms 10"),
        ("normal", 49, 22, ""),
        ("normal", 54, 4, "dead_after_ms = 120 is below 1.5 x worst stall 54.0 + 2 x heartbeat_ms 20"),
    ],
)
def test_what_speaks_against_a_profile(profile: str, heart_ms: float, supervisor_ms: float, words: str) -> None:
    assert (words in " and ".join(against(profile, late(heart_ms, supervisor_ms)))) if words else True
    assert bool(against(profile, late(heart_ms, supervisor_ms))) is bool(words)


def test_a_short_look_allows_nothing_but_the_normal_profile() -> None:
    assert may_use("fast", replace(GOOD, minutes=59.9)) == ["measured for 59.9 minutes, 60 are needed"]
    assert may_use("fast", replace(GOOD, realtime="locked memory")) and not may_use("normal", replace(GOOD, minutes=1))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.to_json(), ""),
        ("", "never measured"),
        ("{", "damaged"),
        ("[]", "damaged"),
        (replace(GOOD, minutes="x").to_json(), "damaged"),  # type: ignore[arg-type]
        (replace(GOOD, kernel="6.1.0-old").to_json(), f"measured under kernel 6.1.0-old, this is {KERNEL}"),
        (late(40, 4).to_json(), "dead_after_ms = 65"),
    ],
)
def test_a_start_is_refused_with_the_cure(text: str, words: str) -> None:
    sentence = refusal("fast", text, KERNEL)
    assert words in sentence and bool(sentence) is bool(words)
    assert not sentence or sentence.endswith('for an hour, or write profile = "normal"')
    assert refusal("normal", text, KERNEL) == ""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in example(("gateway.toml", 'profile = "normal"', 'profile = "fast"')).items():
        (tmp_path / name).write_text(text if isinstance(text, str) else text.decode())
    pair(tmp_path / "a", tmp_path / "b", "test")
    return tmp_path


def test_check_and_start_ask_for_the_measurement(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(["--config", str(folder)]) == 0
    assert "starts only on a board that was measured" in capsys.readouterr().out
    assert check.run(["--config", str(folder), "--state", str(folder / "a")]) == 1
    assert "never measured" in capsys.readouterr().out
    (folder / "a" / FILE).write_text(GOOD.to_json())
    assert check.run(["--config", str(folder), "--state", str(folder / "a")]) == 0


def test_a_gateway_does_not_start_without_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_BENCH", str(folder))
    assert gateway.run(["--config", str(folder), "--member", "a", "--state", str(folder / "a")]) == 2
    assert "never measured" in capsys.readouterr().err


def test_a_measurement_of_a_second(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.run(["stalls", "--state", str(tmp_path), "--minutes", "0.01", "--load", "none"]) == 1
    told = capsys.readouterr().out
    assert "heart" in told and "profile fast: no: " in told and "60 are needed" in told
    measured = Measured.of((tmp_path / FILE).read_text())
    assert measured.heart.turns > 10 and measured.supervisor.turns > 5 and measured.kernel == KERNEL
    assert 0 <= measured.heart.median_ms <= measured.heart.worst_ms
    assert sorted(p.name for p in tmp_path.iterdir()) == [FILE]
