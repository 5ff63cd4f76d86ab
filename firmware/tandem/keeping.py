"""What a member keeps on flash of its records, and what the rest of the node tells and asks of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tandem.action import Action, Store
from tandem.archive import recorder
from tandem.archive.durable import Durable
from tandem.archive.rebuild import Rebuilt
from tandem.archive.recorder import Recorder
from tandem.past import Past
from tandem.point import Cause, Say
from tandem.standby.told import Salvaged

if TYPE_CHECKING:
    from tandem.parts import Parts


class Keeping:
    """The archive of a member, and its journal where that is durable.

    The archive's place is told to the peer like a control center's cursor: so a returning member is sent the events
    that its archive lacks, as far as the peer's ring has them.
    """

    def __init__(self, node: Parts, past: Past) -> None:
        """Fills the node's empty journal with what a durable one's files hold."""
        config, self._node, self._mirror = node.config, node, node.mirror
        self._key = f"_archive.{node.member}"
        self.old = False
        """Present values are of the journal on flash, and nobody has confirmed them since."""
        self.durable: Durable | None = None
        who: dict[str, object] = {"group": config.group.name, "member": node.member}
        if config.standby.journal == "durable":
            highest = node.registry.highest
            ids = {"ids": node.registry.lineage(highest), "highest": highest}
            cursors, number = node.mirror.cursors.numbers, self._refill(past.journal)
            self.durable = Durable(
                {**who, **ids}, node.database, node.history, node.sync.granter, cursors,
                config.standby.journal_group_ms, number, node.outside.pages,
            )  # fmt: skip
            node.sync.granter.durable = number
        self.archive = Recorder(config.archive, who, node.table, node.journal, node.history, past.archive)
        self._enabled = config.archive.enabled
        epoch, number = past.archive
        if self._enabled and (known := node.history.clamp(epoch, number, number)):
            node.mirror.cursor(self._key, known)

    def _refill(self, rebuilt: Rebuilt | None) -> int:
        """Up to where the journal is on flash."""
        node = self._node
        if rebuilt is None:
            return 0
        for fault in rebuilt.faults:
            node.ask(Say(fault, "error"))
        if not rebuilt.head:
            return 0
        if node.registry.lineage(rebuilt.highest) != rebuilt.ids:
            node.ask(Say("the journal on flash uses other point ids than the registry: it is not taken", "error"))
            return 0
        rebuilt.fill(node.database)
        node.history.adopt(rebuilt.history.claims)
        node.mirror.cursors.numbers.update(rebuilt.cursors)
        for key, octets in rebuilt.outside.items():
            node.outside.heard(key, octets, 0)
        node.mirror.cursors.clamp(rebuilt.head)
        node.service.restore_cursors(node.mirror.cursors.numbers, rebuilt.head)
        node.sync.granter.released_seq = rebuilt.released
        node.ask(Say(f"the journal was rebuilt from flash up to record {rebuilt.head} of epoch {node.history.epoch}"))
        self.old = True
        return rebuilt.head

    # --- what happens to the journal --------------------------------------------------------------------------------

    def salvaged(self, tail: Salvaged) -> None:
        """The own records above a fork, which the active's history does not have."""
        self.archive.salvaged(tail)

    def swapped(self) -> None:
        """The journal was replaced by the active's image."""
        self.archive.swapped()
        if self.durable is not None:
            self.durable.swapped()

    def claimed(self, now: int) -> None:
        """This member serves: what only flash knew is not topical until each device has answered."""
        if self.old:
            self.old = False
            database, stamp_us = self._node.database, self._node.clock.stamp(now)[0]
            for point_id in sorted({point.device_ok for point in self._node.table.points} - {0}):
                if database.present[point_id][2]:
                    database.update(point_id, 0.0, database.present[point_id][4], stamp_us, Cause.COMMUNICATION)

    # --- the turn -----------------------------------------------------------------------------------------------------

    def turn(self, now: int) -> list[Action]:
        """Every turn, before anything may leave."""
        durable = self.durable
        if durable is None:
            return []
        if self.old and not self._node.sync.granter.active and self._mirror.mirroring:
            self.old = False
        durable.tick(now)
        self._node.sync.granter.durable = durable.limit
        return durable.actions()

    def tick(self, now: int) -> list[Action]:
        """Now and then: what is due for the archive."""
        if not self._enabled:
            return []
        self.archive.tick(now)
        return self.archive.actions()

    @property
    def saves(self) -> bool:
        """Whether what was told of must be on flash first."""
        return self.durable is not None and not self.durable.fault

    def due(self) -> int | None:
        """When `turn` must come."""
        return None if self.durable is None else self.durable.due()

    def stored(self, store: Store, fault: str, now: int) -> None:
        """The answer to a `Store`."""
        if store.log != recorder.LOG:
            if self.durable is not None:
                self.durable.stored(len(store.octets), fault, now)
            return
        self.archive.stored(len(store.octets), fault, now)
        if self.archive.joined and not fault:
            self._mirror.cursor(self._key, self.archive.place.head)

    def last(self) -> list[Action]:
        """The process ends in order: what still waits."""
        if self._enabled:
            self.archive.write()
        if self.durable is None:
            return self.archive.actions()
        self.durable.last()
        return self.archive.actions() + self.durable.actions()

    # --- what is said -------------------------------------------------------------------------------------------------

    @property
    def fault(self) -> str:
        """Why the flash does not take the archive or the durable journal; "" when it does."""
        return self.archive.fault or (self.durable.fault if self.durable is not None else "")

    def alarms(self) -> list[str]:
        """What somebody must look at."""
        return [self.archive.fault, self.durable.fault if self.durable is not None else ""]

    def statistics(self) -> dict[str, object]:
        """Of the archive and of a durable journal."""
        found: dict[str, object] = {"archive": self.archive.statistics()} if self._enabled else {}
        return found | ({"journal": self.durable.statistics()} if self.durable is not None else {})
