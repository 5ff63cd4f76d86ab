"""What a laboratory made is removed, also when it is killed; `lab clean` removes what a crash left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools.bench.group import free_octet
from tools.bench.processes import ROOT
from tools.lab.netns import here, ip, trouble


def test_a_killed_laboratory_leaves_no_namespace(tmp_path: Path) -> None:
    if why := trouble():
        pytest.skip(f"NO LABORATORY, real networks were not tested: {why}")
    octet = free_octet()
    octet.close()
    command = [sys.executable, "-m", "tools.lab", "--headless", "--for", "60", "--dir", str(tmp_path)]
    command += ["--octet", str(octet.number)]
    env = {**os.environ, "PYTHONPATH": f"{ROOT / 'firmware'}:{ROOT}"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    until = time.monotonic() + 60
    while b"starting the control centers" not in process.stdout.readline() and time.monotonic() < until:
        pass
    assert len(here(octet.number)) == 6
    process.send_signal(signal.SIGKILL)
    process.wait()
    while here(octet.number) and time.monotonic() < until:
        time.sleep(0.05)
    assert not here(octet.number)


def test_clean_removes_what_nobody_runs_any_more_and_nothing_else() -> None:
    if why := trouble():
        pytest.skip(f"NO LABORATORY, real networks were not tested: {why}")
    left, used = free_octet(), free_octet()
    ip([f"netns add tandem-{left.number}-wires", f"netns add tandem-{used.number}-wires"])
    left.close()
    try:
        done = subprocess.run([sys.executable, "-m", "tools.lab", "clean"], cwd=ROOT, capture_output=True, text=True)
        assert f"tandem-{left.number}-wires" in done.stdout and f"tandem-{used.number}-wires" not in done.stdout
        assert not here(left.number) and here(used.number)
    finally:
        ip([f"netns del tandem-{used.number}-wires"])
        used.close()
