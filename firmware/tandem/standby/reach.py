"""Who answers on the LANs: each one's reference address, and on a standby the devices that it would ask as active.

A target is lost after MISSES questions in a row without an answer, and there again at the first answer. What cannot be
asked (the machine does not permit it) or was not asked yet is neither. Questions and answers are the port's: ARP, ping.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from tandem.action import Action, Probe
from tandem.config.model import Config
from tandem.point import MS, SECOND

ROUND_NS = SECOND
"""A reference address is asked so often; devices in turns, each once in DEVICE_ROUNDS of these."""
AGAIN_NS = 200 * MS
"""An address that did not answer is asked again so soon."""
HURRY_NS = 100 * MS
"""And so soon when the peer's health fell: whether we share its loss must be known before it gives the role away."""
DEVICE_ROUNDS = 10
MISSES = 3
NEVER_NS = 1 << 62
_NAMED = 3


class Target(NamedTuple):
    """`key` is "lan:NAME" of a reference address, "device:NAME" of a device."""

    key: str
    lan: str
    host: str


class _State:
    """One target. `there`: None where nothing is known."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.there: bool | None = None
        self.missed = 0
        self.open = False  # asked, and not answered yet
        self.able = True
        self.hurry = False
        self.ask_at = NEVER_NS


class Reach:
    """All targets of a member. Nothing is asked before `begin`: a machine without a way to ask knows nothing."""

    def __init__(self, config: Config) -> None:
        self._states = {target.key: _State(target) for target in targets(config)}
        self._at = NEVER_NS
        self._serving: bool | None = None
        self._unable = ""
        self._peer_health = 0

    def begin(self, now: int) -> None:
        """There is a way to ask."""
        self._at = now
        for place, state in enumerate(self._states.values()):
            state.ask_at = now + place % DEVICE_ROUNDS * AGAIN_NS

    def tick(self, now: int, serving: bool, peer_health: int = 255) -> list[Action]:
        """What is to be asked now. A serving member asks devices by its masters; what it knew of them is void."""
        if peer_health < self._peer_health and not serving:
            self._doubt(now)
        self._peer_health = peer_health
        if serving is not self._serving:
            self._serving = serving
            self._forget_devices(now)
        if now < self._at:
            return []
        due = [state for state in self._states.values() if now >= state.ask_at]
        probes: list[Action] = [self._ask(state, now) for state in due if state.able]
        self._at = self._next()
        return probes

    def due(self) -> int | None:
        """When `tick` must come next."""
        return self._at if self._at != NEVER_NS else None

    def answered(self, key: str) -> bool:
        """A target answered. True when that is news."""
        if (state := self._states.get(key)) is None:
            return False
        news = state.there is not True
        state.there, state.missed, state.open, state.hurry = True, 0, False, False
        return news

    def unable(self, key: str, why: str) -> str:
        """A target cannot be asked: it is not lost for that. Returns the sentence where it is news."""
        if (state := self._states.get(key)) is None:
            return ""
        state.there, state.missed, state.open, state.able = None, 0, False, False
        news = why != self._unable
        self._unable = why
        target = state.target
        return f"{target.host} on LAN {target.lan} cannot be asked whether it is there: {why}" if news else ""

    def there(self, key: str) -> bool | None:
        """True, False, or None where nothing is known."""
        state = self._states.get(key)
        return state.there if state else None

    def lost(self) -> Mapping[str, str]:
        """The host of each target that is lost, by key."""
        return {key: state.target.host for key, state in self._states.items() if state.there is False}

    def _ask(self, state: _State, now: int) -> Probe:
        if state.open:
            state.missed += 1
            if state.missed >= MISSES:
                state.there, state.hurry = False, False
        device = state.target.key.startswith("device:")
        usual_ns = ROUND_NS * DEVICE_ROUNDS if device else ROUND_NS
        doubted = state.there is not False and state.missed < MISSES
        # the first question is followed soon by a look whether it was answered; then that answer is the usual one
        soon = doubted and (state.open or state.hurry or state.there is None)
        state.ask_at = now + ((HURRY_NS if state.hurry else AGAIN_NS) if soon else usual_ns)
        state.open = True
        return Probe(*state.target)

    def _doubt(self, now: int) -> None:
        """What a device said lately may be over."""
        for key, state in self._states.items():
            if key.startswith("device:") and state.ask_at != NEVER_NS and state.there is not False:
                state.missed, state.open, state.hurry, state.ask_at = 0, False, True, now
                self._at = min(self._at, now)

    def _forget_devices(self, now: int) -> None:
        for key, state in self._states.items():
            if key.startswith("device:"):
                state.there, state.missed, state.open = None, 0, False
                state.ask_at = NEVER_NS if self._serving or self._at == NEVER_NS else now
        if self._at != NEVER_NS:
            self._at = self._next()

    def _next(self) -> int:
        return min((state.ask_at for state in self._states.values() if state.able), default=NEVER_NS)


def lost_targets(reach: Reach) -> list[str]:
    """Of each LAN whose reference is silent, and of the devices that a takeover would not find: a sentence."""
    lost = reach.lost()
    lans = [f"{ip}, the reference of LAN {key[4:]}, does not answer" for key, ip in lost.items() if key[:4] == "lan:"]
    devices = [key[7:] for key in lost if key.startswith("device:")]
    if not devices:
        return lans
    named = ", ".join(devices[:_NAMED]) + (f" and {len(devices) - _NAMED} more" if len(devices) > _NAMED else "")
    return [*lans, f"a takeover would not find {named}: no answer to ARP or ping from this member"]


def targets(config: Config) -> list[Target]:
    """Reference addresses, and the enabled IP devices that a standby keeps no connection to."""
    found = [Target(f"lan:{lan.name}", lan.name, lan.reference) for lan in config.lans if lan.reference]
    for master in config.masters:
        if master.lan and master.on_standby == "none":
            devices = [device for device in master.devices if device.enabled and device.host]
            found += [Target(f"device:{device.name}", master.lan, device.host) for device in devices]
    return found
