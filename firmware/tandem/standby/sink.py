"""The standby's half of the mirror: applies what comes, in order and without a gap, or says what is wrong.

    waiting -> RESUME                              -> following: SLICE after SLICE, each from the own head
    waiting -> BEGIN, ROWS and TAIL into a shadow  -> END swaps it in: following

A method returns the fault as a sentence; the session is then begun anew. Records above the fork are not overwritten
unseen: they are handed out as `Salvaged` when the snapshot begins.
"""

from __future__ import annotations

from collections.abc import Callable

from tandem.codec.link import Ack, Begin, End, Hello, Message, Resume, Rows, Slice, Tail
from tandem.codec.record import RECORD, SIZE, Record, up_to
from tandem.database import Database
from tandem.standby.grant import Lease
from tandem.standby.histories import History, fork
from tandem.standby.image import Image, check_order
from tandem.standby.told import HistoryChanged, ImageSwapped, Salvaged

_SALVAGE_RECORDS = 1024


Event = Salvaged | ImageSwapped | HistoryChanged


class Sink:
    """Receives from one active at a time."""

    def __init__(self, database: Database, history: History, lease: Lease) -> None:
        self.following = False
        self.common = 0
        """The last number in common with the active, as of the last snapshot's beginning."""
        self.swaps = 0
        """How often the image was replaced by the active's."""
        self.fresh_ns = 0
        """When the image was last known to be the active's."""
        self._database = database
        self._history = history
        self._lease = lease
        self._peer: Hello | None = None
        self._mine: Callable[[bytes], bytes] = bytes
        self._image: Image | None = None
        self._taken = 0
        self._ack_due = False
        self._events: list[Event] = []
        self._tail: Salvaged | None = None

    def begin(self, peer: Hello, other_table: bool = False) -> str:
        """A session with an active stands. Returns the sentence with which it is refused, or nothing.

        `other_table`: the active has another point table with the same ids; records of its own points are left out.
        """
        self.end()
        if (peer.claims[-1].epoch if peer.claims else 0) < self._history.epoch:
            return f"the active's epoch is older than {self._history.epoch}, known here: it must claim again"
        self._peer = peer
        self._mine = self._database.known_of if other_table else bytes
        return ""

    def end(self) -> None:
        """No session stands; a shadow that is not whole is given up."""
        self._peer = self._image = None
        self.following = self._ack_due = False
        self._taken = 0

    def take(self, message: Message, now: int) -> str:
        """One of the counted frames. Returns the fault as a sentence, or nothing."""
        if self._peer is None:
            return ""
        self._taken += 1
        self._ack_due = True
        try:
            match message:
                case Slice():
                    self._slice(message, now)
                case Resume():
                    self._resume(message.number, self._peer, now)
                case Begin():
                    self._begin(message, self._peer)
                case Rows() if self._image is not None:
                    self._image.rows(self._database.mirrored_of(message.octets))
                case Tail() if self._image is not None:
                    self._image.tail(message._replace(soe=self._mine(message.soe), analog=self._mine(message.analog)))
                case End() if self._image is not None:
                    self._end(message.head, self._image, self._peer, now)
                case _:
                    raise ValueError(f"{type(message).__name__} outside a snapshot")
        except ValueError as error:
            self.end()
            return str(error)
        return ""

    def ack(self) -> Ack | None:
        """Drain the acknowledgement of everything taken since the last one."""
        if not self._ack_due:
            return None
        self._ack_due = False
        number = self._database.journal.head if self.following else 0
        return Ack(self._epoch(self._peer), number, self._taken)

    def events(self) -> list[Event]:
        """Drain the events."""
        events, self._events = self._events, []
        return events

    def salvage(self, released: int, kept: Callable[[Record], bool] = lambda record: False) -> list[bytes]:
        """Drain what the active is to be offered: own records above the fork that were released up to `released`.

        `kept`: the device of that event has it still, and offers it to the active itself.
        """
        tail, self._tail = self._tail, None
        if tail is None:
            return []
        offered = up_to(tail.soe, released) + up_to(tail.analog, released)
        records = [offered[at : at + SIZE] for at in range(0, len(offered), SIZE)]
        offered = b"".join(octets for octets in records if not kept(RECORD.unpack(octets)))
        size = _SALVAGE_RECORDS * SIZE
        return [offered[at : at + size] for at in range(0, len(offered), size)]

    def _resume(self, number: int, peer: Hello, now: int) -> None:
        head = self._database.journal.head
        common = fork(self._history.claims, head, peer.claims, peer.head).number
        if number != head or head > common:
            raise ValueError(f"the active resumes after record {number}; {common} of {head} records here are its too")
        self._follow(peer, now)

    def _begin(self, begin: Begin, peer: Hello) -> None:
        journal = self._database.journal
        self.common = common = fork(self._history.claims, journal.head, peer.claims, peer.head).number
        if journal.head > common and self._tail is None:
            cursor = journal.cursor(common)
            soe, analog = journal.slices(cursor, journal.head, journal.soe.capacity + journal.analog.capacity)
            self._tail = Salvaged(common, self._history.claims, soe, analog)
            self._events.append(self._tail)
        self.following = self._lease.whole = False
        self._image = Image(self._database, begin)

    def _end(self, head: int, image: Image, peer: Hello, now: int) -> None:
        image.swap(head)
        self.swaps += 1
        self._image = None
        self._events.append(ImageSwapped(head))
        self._follow(peer, now)

    def _follow(self, peer: Hello, now: int) -> None:
        self.following, self.fresh_ns = True, now
        if self._history.adopt(peer.claims):
            self._events.append(HistoryChanged())
        lease = self._lease
        lease.whole, lease.epoch, lease.applied = True, self._history.epoch, self._database.journal.head

    def _slice(self, piece: Slice, now: int) -> None:
        epoch, base, head, soe, analog = piece
        soe, analog = self._mine(soe), self._mine(analog)
        journal = self._database.journal
        if not self.following or epoch != self._history.epoch or base != journal.head:
            raise ValueError(
                f"a slice after record {base} of epoch {epoch} came where record {journal.head} "
                f"of epoch {self._history.epoch} is the last"
            )
        check_order(base, head, soe, analog)
        if head > base:
            self._database.apply(head, soe, analog)
            self._lease.applied = head
        self.fresh_ns = now

    def _epoch(self, peer: Hello | None) -> int:
        return peer.claims[-1].epoch if peer is not None and peer.claims else 0
