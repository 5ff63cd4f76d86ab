"""The durable journal: both rings on flash, synced in groups, so that nothing leaves before it is there.

    HEAD BEGIN CLAIMS SLICE BESIDE | SLICE (CLAIMS) (BESIDE) (ROWS or TAIL) | SLICE ... END | SLICE ... until it is full

A file is a standby that never answers: an image of the rings and present values is written piece by piece between the
slices, and with its END the older files go. A file that goes on with the journal of the one before continues its
slices at once; after the journal was replaced nothing counts as durable before the END.
"""

from __future__ import annotations

import json

from tandem.action import Action, Store
from tandem.archive.block import Kind, pack
from tandem.codec.record import SIZE
from tandem.database import Database
from tandem.journal import Cursor
from tandem.point import MS, SECOND, Say
from tandem.standby.grant import Grant, Granter
from tandem.standby.histories import History

LOG = "journal"
FORMAT = 1
AFRESH = 1
"""Flag of BEGIN: the records before it are of another journal."""
ALONE = 1
"""Flag of SLICE: written by an active without a standby; whatever is in it may have left."""
RECORDS_A_GROUP = 2048
"""Of each ring, at most."""
ROWS_A_GROUP = 1024
AGAIN_NS = 5 * SECOND
PATIENCE_NS = 10 * SECOND
"""A flash that takes so long for one group is given up, openly: the journal is in RAM until it answers."""
_FILE_OCTETS = 8 << 20
_BESIDE_NS = SECOND


class Pages:
    """What centers made the members remember, by key: all of it, and what is not on flash yet."""

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.unsaved: dict[str, None] = {}
        self._writing: dict[str, None] = {}

    def put(self, key: str, octets: bytes) -> None:
        """A page is so from now on."""
        self.pages[key] = octets
        self.unsaved[key] = None

    def written(self, every: bool) -> list[tuple[str, bytes]]:
        """All of it, or what is not on flash yet: on its way there from now on."""
        self._writing, self.unsaved = self.unsaved, {}
        return [(key, self.pages[key]) for key in (self.pages if every else self._writing)]

    def stored(self, well: bool) -> None:
        """What was on its way is on flash, or is not."""
        self.unsaved |= {} if well else self._writing
        self._writing = {}

    def on_flash(self, key: str) -> bool:
        """A page is on flash as it is."""
        return key not in self.unsaved and key not in self._writing


def both(soe: bytes, analog: bytes) -> bytes:
    """The payload of a SLICE or TAIL."""
    return len(soe).to_bytes(4, "little") + soe + analog


class Durable:
    """One member's journal on flash. `who` stands at the top of every file; `stored` must follow every `Store`."""

    def __init__(
        self, who: dict[str, object], database: Database, history: History, granter: Granter,
        cursors: dict[str, int], group_ms: int, number: int, outside: Pages,
    ) -> None:  # fmt: skip
        """`number`: up to where the files that were found hold everything; 0 without any."""
        self.number = number
        """Everything numbered up to here is on flash."""
        self.fault = ""
        self.counts: dict[str, float] = {"groups": 0, "records": 0, "octets": 0, "images": 0}
        self.counts.update(last_ms=0, worst_ms=0)
        self._who = who
        self._database = database
        self._history = history
        self._granter = granter
        self._cursors = cursors
        self._outside = outside
        self._group_ns = group_ms * MS
        rings = (database.journal.soe.capacity + database.journal.analog.capacity) * SIZE
        self._file_octets_max = max(4 * rings, _FILE_OCTETS)
        self._slices = database.journal.cursor(number)
        self._image: Cursor | None = None  # of the image that is being written
        self._image_head = 0
        self._gone = {"soe": 0, "analog": 0}  # the newest numbers that the image leaves out
        self._row = 0
        self._begin, self._afresh = True, not number
        self._file_octets = 0
        self._claims: object = None
        self._beside: tuple[dict[str, int], int] = ({}, 0)
        self._beside_at = 0
        self._writing: tuple[int, int, bool] | None = None  # reaches, since, counts as durable
        self._next_at = 0
        self._actions: list[Action] = []

    def swapped(self) -> None:
        """The journal was replaced by the active's image: nothing of it is on flash."""
        self._begin = self._afresh = True
        self.number = 0

    # --- the turn ---------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Begin a group where there is something to write; two compares where there is nothing."""
        if self._writing is not None:
            if now - self._writing[1] > PATIENCE_NS and not self.fault:
                self._give_up(f"it took no group in {PATIENCE_NS // SECOND} s")
            return
        if now < self._next_at:
            return
        head = self._database.journal.head
        beside = self._beside_due(now) or (self._outside.unsaved and not self._begin)
        if head != self._slices.number or self._image is not None or (self._begin and head) or beside:
            self._group(now)

    def due(self) -> int | None:
        """When a group may begin that waits for its time."""
        waits = self._database.journal.head != self._slices.number or self._outside.unsaved
        return self._next_at if waits and self._writing is None else None

    def last(self) -> None:
        """The process ends in order: what is not on its way yet goes there."""
        if self._database.journal.head != self._slices.number and not self.fault:
            self._group(0)

    def _group(self, now: int) -> None:
        journal = self._database.journal
        blocks: list[bytes] = []
        if any(journal.lost(self._slices)) or self._file_octets >= self._file_octets_max:
            self._afresh = self._afresh or any(journal.lost(self._slices))
            self._begin = True
        begin, keep = self._begin, None
        if begin:
            blocks += self._top()
        if self._history.claims != self._claims:
            blocks.append(pack(Kind.CLAIMS, self._history.to_json().encode()))
            self._claims = self._history.claims
        blocks += self._slice()
        if begin or self._beside_changed():
            blocks.append(self._beside_block(now))
        blocks += self._pages(begin)
        if self._image is not None and self._slices.number == journal.head and not begin:
            piece, whole = self._piece(self._image)
            blocks.append(piece)
            keep = 0 if whole else None
        octets = b"".join(blocks)
        self._file_octets = 0 if self._image is not None else self._file_octets + len(octets)
        self._writing = self._slices.number, now, not self._afresh or keep == 0
        if keep == 0:
            self._afresh = False
        self._actions.append(Store(LOG, octets, begin, keep))

    def _top(self) -> list[bytes]:
        """A file begins, and an image with it: of what the rings hold up to here."""
        journal = self._database.journal
        self._begin, self._row, self._claims = False, 0, self._history.claims
        if self._afresh:
            self._slices = journal.cursor(journal.head)
        base = self._image_head = self._slices.number
        self._gone = {"soe": journal.soe.gone, "analog": journal.analog.gone}
        self._image = Cursor(min(self._gone.values()), journal.soe.first, journal.analog.first)
        return [
            pack(Kind.HEAD, json.dumps({"format": FORMAT, "log": LOG, **self._who}).encode()),
            pack(Kind.BEGIN, b"", self._history.epoch, base, base, AFRESH * self._afresh),
            pack(Kind.CLAIMS, self._history.to_json().encode()),
        ]

    def _slice(self) -> list[bytes]:
        journal, base = self._database.journal, self._slices.number
        if journal.head == base:
            return []
        soe, analog = journal.slices(self._slices, journal.head, RECORDS_A_GROUP)
        self.counts["records"] += (len(soe) + len(analog)) // SIZE
        flags = ALONE * (self._granter.active and self._granter.state is Grant.ALONE)
        return [pack(Kind.SLICE, both(soe, analog), self._history.epoch, base, self._slices.number, flags)]

    def _piece(self, image: Cursor) -> tuple[bytes, bool]:
        """The next piece of the image, and whether it is whole with it."""
        database = self._database
        if self._row < len(database.table.points):
            octets = database.rows(self._row, self._row + ROWS_A_GROUP)
            self._row += ROWS_A_GROUP
            return pack(Kind.ROWS, octets), False
        if image.number < self._image_head:
            base = image.number
            lost = database.journal.lost(image)
            if lost[0]:
                self._gone["soe"] = database.journal.soe.gone
            if lost[1]:
                self._gone["analog"] = database.journal.analog.gone
            soe, analog = database.journal.slices(image, self._image_head, RECORDS_A_GROUP)
            return pack(Kind.TAIL, both(soe, analog), 0, base, image.number), False
        self._image = None
        self.counts["images"] += 1
        gone, head = json.dumps(self._gone).encode(), self._image_head
        return pack(Kind.END, gone, self._history.epoch, head, head), True

    # --- beside the records -------------------------------------------------------------------------------------------

    def _beside_changed(self) -> bool:
        return self._beside != (self._cursors, self._granter.released_seq)

    def _beside_due(self, now: int) -> bool:
        return now >= self._beside_at and not self._begin and self._beside_changed()

    def _beside_block(self, now: int) -> bytes:
        self._beside = dict(self._cursors), self._granter.released_seq
        self._beside_at = now + _BESIDE_NS
        row = {"cursors": self._beside[0], "released": self._beside[1]}
        return pack(Kind.BESIDE, json.dumps(row).encode())

    def _pages(self, every: bool) -> list[bytes]:
        named = ((key.encode(), octets) for key, octets in self._outside.written(every))
        return [pack(Kind.OUTSIDE, bytes((len(key),)) + key + octets) for key, octets in named]

    # --- answers ------------------------------------------------------------------------------------------------------

    def stored(self, octets: int, fault: str, now: int) -> None:
        """The group is on flash, or it is not: then the journal is in RAM, openly, until a whole file was written."""
        if self._writing is None:
            return
        reaches, since, counts = self._writing
        self._writing = None
        self._outside.stored(not fault)
        if fault:
            self._give_up(fault)
            self._begin = self._afresh = True
            self.number, self._next_at = 0, now + AGAIN_NS
            return
        ms = (now - since) / MS
        self.counts["groups"] += 1
        self.counts["octets"] += octets
        self.counts["last_ms"], self.counts["worst_ms"] = ms, max(ms, self.counts["worst_ms"])
        self._next_at = since + self._group_ns
        if counts and not (self._afresh and self._begin):
            self.number = reaches
            if self.fault:
                self.fault = ""
                self._actions.append(Say("the journal is durable again"))

    def _give_up(self, fault: str) -> None:
        if not self.fault:
            self._actions.append(Say(f"the journal is in RAM only: {fault}; the flash is tried again", "error"))
        self.fault = fault

    @property
    def limit(self) -> int | None:
        """The highest number that may leave; None while the journal is in RAM for a fault."""
        return None if self.fault else self.number

    def statistics(self) -> dict[str, object]:
        """Counters since the start, in octets and ms; up to which number everything is on flash."""
        return {**self.counts, "number": self.number, "fault": self.fault}

    def actions(self) -> list[Action]:
        """Drain what is to be written and said."""
        actions, self._actions = self._actions, []
        return actions
