"""A remote unit that talks IEC 104, written against the standard and without the product's codec.

It stamps its events itself and keeps each until N(R) covers its frame; then it forgets it, and the gateways are the
only ones who know. `forgotten` and `made` are what the checkers judge the confirms by.
"""

from __future__ import annotations

import struct
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from tools.sim.pipes import Pipe
from tools.sim.world import SECOND, World

ADDRESS = 11
DOOR, BREAKER, LEVEL = 1301, 1302, 2301
TYPES = {DOOR: 30, BREAKER: 31, LEVEL: 36}
_STATIC = {30: 1, 31: 3, 36: 13}
_SESSIONS = 4
_WINDOW = 12
_KEPT = 2000
_IDLE_NS = 3 * SECOND
_UTC_US = 1_700_000_000_000_000
Key = tuple[int, bytes]
"""Information object address, and the octets of the object: value, quality and time."""


def stamp(utc_ms: int) -> bytes:
    """A moment as the seven octets of a time tag."""
    moment = datetime.fromtimestamp(utc_ms // 1000, UTC)
    day = moment.isoweekday() << 5 | moment.day
    ms = moment.second * 1000 + utc_ms % 1000
    return struct.pack("<HBBBBB", ms, moment.minute, moment.hour, day, moment.month, moment.year % 100)


class Forgotten(NamedTuple):
    """An event that the unit was told to forget by a confirm that its master sent at `sent_ns`, or before."""

    sent_ns: int
    key: Key


class _Session:
    """One connection: `flight` are the frames without N(R), each with the event in it or None."""

    def __init__(self, alive_until: Callable[[], int], now: int) -> None:
        self.alive_until = alive_until
        self.buffer = b""
        self.heard_ns = now
        self.sent = self.acked = self.received = self.offered = 0
        self.flight: deque[Key | None] = deque()
        self.answers: deque[tuple[int, int, int, bytes]] = deque()  # type, cause, ioa, element


class RemoteUnit:
    """One unit; the connection that was started last has the data. `silent`: it reads nothing for a while."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.values: dict[int, float] = {DOOR: 0, BREAKER: 1, LEVEL: 0.0}
        self.made: Counter[Key] = Counter()
        self.forgotten: list[Forgotten] = []
        self.waiting: deque[Key] = deque()
        """Events without a confirm, oldest first."""
        self.started: Pipe | None = None
        self.dialed = 0
        """How often a master connected."""
        self.told_to_forget: Callable[[str], None] = lambda letter: None
        """Called with the member whose confirm has come, before anything else happens."""
        self._sessions: dict[Pipe, _Session] = {}

    # --- the field ------------------------------------------------------------------------------------------------

    def change(self, ioa: int, value: float) -> None:
        """A value changes: an event with the time of now."""
        self.values[ioa] = value
        key = ioa, self._value(ioa) + stamp((_UTC_US + self.world.now // 1000) // 1000)
        self.made[key] += 1
        if len(self.waiting) < _KEPT:
            self.waiting.append(key)
            self._offer()

    def flap(self, times: int) -> None:
        """A contact chatters: so many changes within one millisecond."""
        for _ in range(times):
            self.change(DOOR, 1 - self.values[DOOR])

    def _value(self, ioa: int) -> bytes:
        value = self.values[ioa]
        return struct.pack("<fB", value, 0) if ioa == LEVEL else bytes([int(value)])

    # --- connections ----------------------------------------------------------------------------------------------

    def full(self) -> bool:
        """Its sessions are taken; one that is silent long goes."""
        for pipe, session in list(self._sessions.items()):
            if self.world.now - session.heard_ns > _IDLE_NS:
                self.pipe_closed(pipe, "silent")
        return len(self._sessions) >= _SESSIONS

    def connected(self, pipe: Pipe, alive_until: Callable[[], int]) -> None:
        """A master is there; `alive_until`: now, or when the process behind it died."""
        self.dialed += 1
        self._sessions[pipe] = _Session(alive_until, self.world.now)

    @property
    def sessions(self) -> int:
        """Connections that stand."""
        return len(self._sessions)

    def restart(self) -> None:
        """Its communication processor begins anew: sessions end, events stay."""
        for pipe in list(self._sessions):
            self.pipe_closed(pipe, "restarted")

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The master is gone: what it did not confirm is offered to the next."""
        self._sessions.pop(pipe, None)
        if pipe is self.started:
            self.started = None
        pipe.close(self, "closed by the unit")

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """APDUs of a master."""
        session = self._sessions.get(pipe)
        if session is None:
            return
        session.heard_ns = self.world.now
        data = session.buffer + octets
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            frame, data = data[: 2 + data[1]], data[2 + data[1] :]
            self._frame(pipe, session, frame)
        session.buffer = data
        self._offer()

    def _frame(self, pipe: Pipe, session: _Session, frame: bytes) -> None:
        control = frame[2]
        if control & 3 == 3:
            if control == 0x07:
                self.started, session.offered = pipe, 0
            elif control == 0x13 and pipe is self.started:
                self.started = None
            if control in (0x07, 0x13, 0x43):  # each act bit stands one below its con bit
                pipe.send(self, struct.pack("<BBBBH", 0x68, 4, (control & 0xFC) << 1 | 3, 0, 0))
            return
        self._confirmed(pipe, session, struct.unpack("<H", frame[4:6])[0] >> 1)
        if not control & 1:
            session.received = (session.received + 1) % 32768
            pipe.send(self, struct.pack("<BBHH", 0x68, 4, 1, session.received << 1))
            self._asked(session, frame[6:])

    def _confirmed(self, pipe: Pipe, session: _Session, number: int) -> None:
        before = len(self.forgotten)
        for _ in range((number - session.acked) % 32768):
            if not session.flight:
                break
            session.acked = (session.acked + 1) % 32768
            key = session.flight.popleft()
            if key is not None and self.waiting and self.waiting[0] == key:
                self.waiting.popleft()
                session.offered -= 1
                self.forgotten.append(Forgotten(session.alive_until(), key))
        if len(self.forgotten) > before:
            self.told_to_forget(pipe.name)

    def _asked(self, session: _Session, asdu: bytes) -> None:
        kind, cause = asdu[0], asdu[2] & 0x3F
        if cause != 6:
            return
        session.answers.append((kind, 7, int.from_bytes(asdu[6:9], "little"), asdu[9:]))
        if kind == 100:
            for ioa, type_id in TYPES.items():
                session.answers.append((_STATIC[type_id], 20, ioa, self._value(ioa)))
            session.answers.append((100, 10, 0, asdu[9:]))

    # --- data -----------------------------------------------------------------------------------------------------

    def _offer(self) -> None:
        """Answers, and events in their order, as far as the window lets them through."""
        pipe = self.started
        session = self._sessions.get(pipe) if pipe is not None else None
        if pipe is None or session is None:
            return
        while len(session.flight) < _WINDOW:
            if session.answers:
                self._send(pipe, session, None, *session.answers.popleft())
            elif session.offered < len(self.waiting):
                key = self.waiting[session.offered]
                session.offered += 1
                self._send(pipe, session, key, TYPES[key[0]], 3, *key)
            else:
                return

    def _send(
        self, pipe: Pipe, session: _Session, key: Key | None, kind: int, cause: int, ioa: int, element: bytes
    ) -> None:
        asdu = struct.pack("<BBBBH", kind, 1, cause, 0, ADDRESS) + ioa.to_bytes(3, "little") + element
        apci = struct.pack("<BBHH", 0x68, 4 + len(asdu), session.sent << 1, session.received << 1)
        session.sent = (session.sent + 1) % 32768
        session.flight.append(key)
        pipe.send(self, apci + asdu)
