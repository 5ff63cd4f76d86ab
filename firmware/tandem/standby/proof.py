"""The watchdog's feed, and the proof that it works: at the start, after each release, and while it is fed.

    OPEN --contact read open--> CLOSE --contact read closed--> FED --released, role contact open--> OPEN
    no pulses                   pulses                          pulses

A proof that fails is told once; it is tried on, so that a repaired relay is found without a restart.
"""

from __future__ import annotations

import enum

from tandem.codec.heart import BLIND, PinsRead, Proof
from tandem.standby.guard_words import PULSE, Output, Rules, Tell

_NEVER = -1


class _Step(enum.IntEnum):
    OPEN = 0  # no pulses: the contact must be read open
    CLOSE = 1  # pulses: it must be read closed
    FED = 2  # pulses, and it stays closed


class WatchdogProof:
    """Says at each beat of the feed whether a pulse goes out, and what the contact proves of itself."""

    def __init__(self, rules: Rules) -> None:
        self._limit_ns = 2 * rules.watchdog_ns
        self._settle_ns = rules.settle_ns  # a contact that was about to open is open by then
        self._step = _Step.OPEN if rules.has_pins else _Step.FED
        self._has_pins = rules.has_pins
        self._since = _NEVER
        self._told = ""
        self._wanted = self._proven = False
        self._fed_ns = 0

    @property
    def closed(self) -> bool:
        """The watchdog's contact may feed a coil: it is fed, and no proof holds the pulses back."""
        return self._step is _Step.FED

    def released(self) -> None:
        """The lines were given back: prove the contact again as soon as the role contact is open."""
        self._wanted = self._has_pins

    def hurry(self) -> bool:
        """The coil is wanted now: the proof is for another time; True when pulses may go at once."""
        self._wanted = False
        if self._step is _Step.OPEN and self._proven:
            self._go(_Step.CLOSE)
        return self._step is not _Step.OPEN

    def gone(self, reason: str) -> list[Output]:
        """The pins are gone: nothing is proven any more."""
        self._go(_Step.OPEN)
        return self._fail(reason)

    def feed(self, pins: PinsRead, coil: bool, now: int) -> list[Output]:
        """One beat of the feed. `coil`: the role coil is driven, so its contact may be closed."""
        if not self._has_pins:
            return [PULSE]
        if pins.inputs & BLIND:
            return []
        if self._wanted and self._step is _Step.FED and not pins.own and not coil:
            self._wanted = False
            self._go(_Step.OPEN)
        if self._since == _NEVER or now - self._fed_ns > self._limit_ns // 4:
            self._since = now  # the feed itself was away: an open contact proves nothing
        self._fed_ns = now
        out = self._look(pins, coil, now)
        return out if self._step is _Step.OPEN else [*out, PULSE]

    def _go(self, step: _Step) -> None:
        self._step, self._since = step, _NEVER

    def _look(self, pins: PinsRead, coil: bool, now: int) -> list[Output]:
        late = now - self._since > self._limit_ns
        if self._step is _Step.FED:
            if pins.watchdog:
                self._since = now
            elif late:
                self._go(_Step.OPEN)
                return self._fail("the watchdog contact is open although pulses are sent")
        elif self._step is _Step.CLOSE:
            if pins.watchdog and now - self._since >= self._settle_ns:
                self._go(_Step.FED)
                self._told, self._proven = "", True
                return [Tell(Proof(True, ""))]
            if late:
                self._go(_Step.OPEN)
                return self._fail("the watchdog contact did not close after pulses began")
        elif pins.at_ns and not pins.watchdog and (coil or not pins.own):
            self._go(_Step.CLOSE)
        elif late:
            self._since = now
            welded = pins.at_ns and not pins.watchdog
            return self._fail(
                "the own role contact is closed although no coil is fed: welded, or wired wrongly"
                if welded
                else "the watchdog contact was not read open before the first pulse"
            )
        return []

    def _fail(self, reason: str) -> list[Output]:
        self._proven = False
        if reason == self._told:
            return []
        self._told = reason
        return [Tell(Proof(False, reason))]
