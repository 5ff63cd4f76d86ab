"""Kills at random phases while a remote unit gives out 2,000 time-tagged events a second, on real networks."""

from __future__ import annotations

import json

import pytest

from tools.bench.kills import is_bad, prove_kills
from tools.lab.netns import trouble
from tools.lab.stage import Lab

_KILLS, _RATE, _POINTS, _SEED = 20, 2000.0, 60, 7


def test_twenty_kills_lose_no_event_double_no_control_and_nobody_answers_too_late() -> None:
    if why := trouble():
        pytest.skip(f"NO LABORATORY, real networks were not tested: {why}")
    found = prove_kills(_KILLS, _RATE, _POINTS, _SEED, Lab())
    assert found["events"] > 1000 * _KILLS and found["controls_commanded"] >= _KILLS
    assert not is_bad(found), json.dumps(found)  # all of it: pytest would shorten
