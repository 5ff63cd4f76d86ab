"""What a member keeps on flash of its records, and what the rest of the node tells and asks of it."""

from __future__ import annotations

from tandem.action import Action, Store
from tandem.archive import recorder
from tandem.archive.recorder import Recorder
from tandem.config.model import Config, Member
from tandem.journal import Journal
from tandem.past import Past
from tandem.registry import PointTable
from tandem.standby.mirror import Mirror
from tandem.standby.told import Salvaged


class Keeping:
    """The archive of a member. Its place is told to the peer like a control center's cursor: so a returning member is
    sent the events that its archive lacks, as far as the peer's ring has them.
    """

    def __init__(
        self, config: Config, member: Member, table: PointTable, journal: Journal, mirror: Mirror, past: Past
    ) -> None:
        self._mirror = mirror
        self._key = f"_archive.{member}"
        who: dict[str, object] = {"group": config.group.name, "member": member}
        self.archive = Recorder(config.archive, who, table, journal, mirror.history, past.archive)
        self._enabled = config.archive.enabled
        epoch, number = past.archive
        if self._enabled and (known := mirror.history.clamp(epoch, number, number)):
            mirror.cursor(self._key, known)

    def salvaged(self, tail: Salvaged) -> None:
        """The own records above a fork, which the active's history does not have."""
        self.archive.salvaged(tail)

    def swapped(self) -> None:
        """The journal was replaced by the active's image."""
        self.archive.swapped()

    def tick(self, now: int) -> list[Action]:
        """What is due for the flash."""
        if not self._enabled:
            return []
        self.archive.tick(now)
        return self.archive.actions()

    def stored(self, store: Store, fault: str, now: int) -> None:
        """The answer to a `Store`."""
        if store.log == recorder.LOG:
            self.archive.stored(len(store.octets), fault, now)
            if self.archive.joined and not fault:
                self._mirror.cursor(self._key, self.archive.place.head)

    def last(self) -> list[Action]:
        """The process ends in order: what still waits."""
        if self._enabled:
            self.archive.write()
        return self.archive.actions()

    def alarms(self) -> list[str]:
        """What somebody must look at."""
        return [self.archive.fault]

    def statistics(self) -> dict[str, object]:
        """Of the archive."""
        return {"archive": self.archive.statistics()} if self._enabled else {}
