"""The watch over a pair under load, by real processes: a heart that somebody stops is noticed, and not excused."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tools.bench.saturated import Watch

_STOPPED_S = 0.4


def test_a_heart_that_stood_still_is_a_false_drop(tmp_path: Path) -> None:
    if not shutil.which("stress-ng"):
        pytest.skip("stress-ng is not installed: apt-get install stress-ng")
    watch = Watch(tmp_path, "normal", rate=5)
    watch.enough_ms = 150.0  # this machine may be slow; the stop is longer than all that is excused
    stopped = []

    def stop(_watch: Watch) -> None:
        if stopped:
            return
        active = watch.pair.active
        if active is not None:
            pid = watch.pair.members[active].pids()["heart"]
            os.kill(pid, signal.SIGSTOP)
            time.sleep(_STOPPED_S)
            os.kill(pid, signal.SIGCONT)
            stopped.append(active)

    watch.run(6, stop, look_s=0.5)
    found = watch.found()
    assert stopped
    assert found["false_drops"] + found["explained_drops"] >= 1
    assert found["false_failovers"] + found["explained_failovers"] >= 1
    assert found["control_late_ms"]["worst"] > 0
