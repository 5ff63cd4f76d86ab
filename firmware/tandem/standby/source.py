"""The active's half of the mirror: what the standby lacks, sent as far as it keeps up.

    idle -> resuming (RESUME)                         -> flowing: SLICE after SLICE
    idle -> rows (BEGIN, ROWS) -> tail (TAIL) -> END  -> flowing

A snapshot is read from the living database over several turns: a row that changes after it was sent stands in the
tail again, under a higher number. The tail begins where the slowest control center stands, and at the latest where the
rows began; END comes when it has reached the head. One window bounds everything that is not acknowledged.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable

from tandem.codec.link import Ack, Begin, End, Hello, Message, Resume, Rows, Slice, Tail
from tandem.database import Database
from tandem.engine import earliest
from tandem.journal import Cursor
from tandem.point import MS, SECOND
from tandem.standby.grant import Granter
from tandem.standby.histories import History, fork
from tandem.standby.lag import Lag
from tandem.standby.link import Link

WINDOW_OCTETS = 1 << 20
WINDOW_FRAMES = 4096
PROBE_NS = 200 * MS
"""When nothing else was sent for so long an empty slice asks for an acknowledgement."""
SILENCE_NS = 3 * SECOND
"""An acknowledgement owed for so long: the stream is dead, whatever TCP thinks."""
FRAMES_A_TURN = 4


class Phase(enum.Enum):
    """What is sent now."""

    IDLE = "idle"
    ROWS = "rows"
    TAIL = "tail"
    FLOWING = "flowing"


class Source:
    """Sends to one standby at a time. `lowest` says what the rings must hold for the slowest control center."""

    rows_a_frame = 1024
    """Points of the table that are looked at for one frame of a snapshot."""
    records_a_ring = 2048
    """Records of each ring in one frame, at most; two rings' share fits into a frame of the codec."""

    def __init__(self, link: Link, database: Database, history: History, granter: Granter, lowest: Callable[[], int]):
        self.phase = Phase.IDLE
        self.sent = 0
        """Everything numbered up to here was sent in this session."""
        self.lag = Lag()
        self.snapshots = 0
        self._link = link
        self._database = database
        self._history = history
        self._granter = granter
        self._lowest = lowest
        self._shared: Callable[[bytes], bytes] = bytes if database.all_mirrored else database.mirrored_of
        self._cursor = Cursor()
        self._row = 0
        self._attempts = 0
        self.fork = 0
        """The last number in common with the standby, as of the session's beginning."""
        self._frames = 0  # sent in this session
        self._taken = 0
        self._octets = 0  # not acknowledged
        self._whole_at = 0  # the frame with whose acknowledgement the standby's image is whole; 0: was told
        self._flight: deque[tuple[int, int, int, bool]] = deque()  # octets, sent at, number, counts for the lag
        self._sent_ns = 0

    @property
    def flowing(self) -> bool:
        """True when the standby has, or was sent, the whole image."""
        return self.phase is Phase.FLOWING

    def begin(self, peer: Hello, now: int) -> str:
        """A session with a standby stands: resume or send everything. Returns what was decided, as a sentence."""
        self._reset()
        journal = self._database.journal
        parted = fork(self._history.claims, journal.head, peer.claims, peer.head)
        self.fork = parted.number
        if peer.head <= parted.number and journal.holds_after(peer.head):
            if peer.head < self._granter.acknowledged:
                self._granter.unsynced(f"the standby returned with record {peer.head} as its last")
            self._cursor = journal.cursor(peer.head)
            self.phase, self.sent = Phase.FLOWING, peer.head
            self._send(Resume(peer.head), now)
            self._whole_at = self._frames
            return f"The mirror resumes after record {peer.head}"
        why = "too far behind" if peer.head <= parted.number else f"apart from ours after record {parted.number}"
        self._snapshot(now)
        return f"The standby's journal up to {peer.head} is {why}: the whole image follows"

    def end(self) -> None:
        """No session stands."""
        if self.phase is not Phase.IDLE:
            self._reset()

    def flush(self, now: int) -> None:
        """The end of a turn: send what is new, as far as the window allows."""
        for _ in range(FRAMES_A_TURN):
            if self.phase is Phase.IDLE or self._octets >= WINDOW_OCTETS or len(self._flight) >= WINDOW_FRAMES:
                return
            if self.phase is Phase.FLOWING and self.sent >= self._database.journal.head:
                return
            if self.phase is Phase.ROWS:
                self._send_rows(now)
            elif any(self._database.journal.lost(self._cursor)):
                self._snapshot(now)
            elif self.phase is Phase.TAIL:
                self._send_tail(now)
            else:
                self._send_slice(now)

    def tick(self, now: int) -> None:
        """Probe a link on which nothing happens; give up one on which nothing is acknowledged."""
        if self.phase is Phase.IDLE:
            return
        if self._flight:
            if now - self._flight[0][1] >= SILENCE_NS:
                self._link.fail("the standby acknowledged nothing for 3 s")
        elif now - self._sent_ns >= PROBE_NS and self.phase is Phase.FLOWING:
            self._send(Slice(self._history.epoch, self.sent, self.sent, b"", b""), now)

    def due(self) -> int | None:
        """When `tick` must be called next."""
        if self.phase is Phase.IDLE:
            return None
        return self._flight[0][1] + SILENCE_NS if self._flight else earliest(self._sent_ns + PROBE_NS)

    def acknowledge(self, ack: Ack, now: int) -> None:
        """The standby took and applied something."""
        if self.phase is Phase.IDLE or ack.epoch != self._history.epoch:
            return
        if not self._taken <= ack.taken <= self._frames or ack.number > self.sent:
            self._link.fail(f"the standby acknowledges {ack.taken} frames up to record {ack.number}; "
                            f"{self._frames} up to {self.sent} were sent")  # fmt: skip
            return
        for _ in range(ack.taken - self._taken):
            octets, sent_ns, _, counts = self._flight.popleft()
            self._octets -= octets
            if counts:
                self.lag.add(now - sent_ns)
        self._taken = ack.taken
        if self._whole_at and ack.taken >= self._whole_at:
            self._whole_at = 0
            self._granter.synced(ack.number)
        owed = self._flight[0][1] if self._flight else None
        self._granter.acknowledge(ack.number, self._database.journal.head, owed, now)

    def statistics(self) -> dict[str, float]:
        """Octets and frames in flight, snapshots sent, lags in ms."""
        flight = {"unacknowledged_octets": self._octets, "unacknowledged_frames": len(self._flight)}
        return {**flight, "snapshots": self.snapshots, **self.lag.statistics()}

    def _reset(self) -> None:
        self.phase = Phase.IDLE
        self._flight.clear()
        self._frames = self._taken = self._octets = self._whole_at = self._attempts = 0

    def _snapshot(self, now: int) -> None:
        """Begin (again) with the whole image; after a first attempt that was lapped, with the shortest tail."""
        journal = self._database.journal
        self._granter.unsynced("the standby is sent the whole image")
        self._attempts += 1
        self.snapshots += 1
        start = min(self._lowest(), journal.head) if self._attempts == 1 else journal.head
        self._cursor = journal.cursor(start)
        self._cursor.soe += journal.lost(self._cursor)[0]
        self._cursor.analog += journal.lost(self._cursor)[1]
        self.phase, self._row, self.sent, self._whole_at = Phase.ROWS, 0, 0, 0
        self._send(Begin(self.fork, max(start, journal.soe.gone), max(start, journal.analog.gone)), now)

    def _send_rows(self, now: int) -> None:
        octets = self._database.rows(self._row, self._row + self.rows_a_frame)
        self._row += self.rows_a_frame
        if octets:
            self._send(Rows(octets), now)
        if self._row >= len(self._database.table.points):
            self.phase = Phase.TAIL

    def _send_tail(self, now: int) -> None:
        journal, base = self._database.journal, self._cursor.number
        soe, analog = journal.slices(self._cursor, journal.head, self.records_a_ring)
        self._send(Tail(base, self._cursor.number, self._shared(soe), self._shared(analog)), now)
        if self._cursor.number >= journal.head:
            self.sent, self.phase = self._cursor.number, Phase.FLOWING
            self._send(End(self.sent), now)
            self._whole_at = self._frames

    def _send_slice(self, now: int) -> None:
        journal, base = self._database.journal, self._cursor.number
        soe, analog = journal.slices(self._cursor, journal.head, self.records_a_ring)
        self.sent = self._cursor.number
        self._send(
            Slice(self._history.epoch, base, self.sent, self._shared(soe), self._shared(analog)), now, counts=True
        )

    def _send(self, message: Message, now: int, counts: bool = False) -> None:
        octets = self._link.send(message)
        self._frames += 1
        self._octets += octets
        self._sent_ns = now
        self._flight.append((octets, now, self.sent, counts))
        self._granter.owed(now)
