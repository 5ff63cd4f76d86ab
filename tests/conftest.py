"""What all tests share: missing peers are named at the end; fixed loopback addresses serve one test at a time."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")  # no test is timed: machines differ


@pytest.fixture(scope="session")
def _bench_lock_file() -> Path:
    return Path(tempfile.gettempdir()) / "tandem-bench.lock"


@pytest.fixture
def bench_addresses(_bench_lock_file: Path) -> Iterator[None]:
    """The bench's 127.20.x.y and 127.120/220.x.y are this test's alone, also among several pytest runs."""
    with _bench_lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return text.removeprefix("Skipped: ")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Every skip with its reason, so that a missing peer is never a silent pass."""
    reasons: dict[str, list[str]] = {}
    for report in terminalreporter.getreports("skipped"):
        if not hasattr(report, "wasxfail"):
            reasons.setdefault(_reason(report), []).append(report.nodeid)
    if not reasons:
        return
    terminalreporter.section("NOT TESTED HERE", sep="!", red=True, bold=True)
    for reason, tests in sorted(reasons.items()):
        more = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        terminalreporter.write_line(f"{reason}: {tests[0]}{more}", red=True)
