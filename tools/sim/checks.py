"""Checkers outside the nodes: they look at the plant and the devices, and at both images, after every event."""

from __future__ import annotations

from collections import Counter

from tandem.codec.beat import Role
from tools.sim.site import Site
from tools.sim.world import MS

_IMAGES_NS = 20 * MS  # images are compared so often, not at every event


class Broken(AssertionError):
    """An invariant does not hold; the sentence names it."""


class Checks:
    """I1 (one driver), I3 (once), I4 (same image), and epochs that rise."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.role_changes = 0
        self.compared = 0
        self._images_at = 0
        self._epochs: dict[int, str] = {}
        self._active: dict[str, int] = {}
        site.world.checks.append(self.look)

    def look(self) -> None:
        """Raises Broken."""
        counts = self.site.bench.counts
        if counts:
            raise Broken(f"I1: {', '.join(counts)}")
        self._look_at_epochs()
        if self.site.world.now >= self._images_at:
            self._images_at = self.site.world.now + _IMAGES_NS
            self._images()

    def _look_at_epochs(self) -> None:
        for letter, member in self.site.members.items():
            if not member.up or member.node.role.role is not Role.ACTIVE:
                self._active.pop(letter, None)
                continue
            epoch = member.node.role.epoch
            if self._active.get(letter) == epoch:
                continue
            if epoch in self._epochs or epoch <= max(self._epochs, default=0):
                raise Broken(f"epoch {epoch} of {letter} does not rise above {sorted(self._epochs)}")
            self._active[letter], self._epochs[epoch] = epoch, letter
            self.role_changes += 1

    def _images(self) -> None:
        """While the active grants and the standby believes: equal numbers name equal records."""
        members = [m for m in self.site.members.values() if m.up]
        active = next((m.node for m in members if m.node.sync.granter.granting), None)
        standby = next((m.node for m in members if not m.node.sync.granter.active), None)
        if active is None or standby is None or not standby.sync.lease.in_sync(self.site.world.now):
            return
        if standby.journal.head < active.sync.granter.acknowledged:
            raise Broken(f"I4: {active.sync.granter.acknowledged} is acknowledged, {standby.journal.head} is there")
        if standby.journal.head != active.journal.head:
            return
        self.compared += 1
        for point in active.table.points:
            mine, its = active.database.present[point.id], standby.database.present[point.id]
            if not point.local and mine != its:
                raise Broken(f"I4: {point.name} is {mine} on the active and {its} on the standby")

    def controls(self, asked: list[int]) -> None:
        """I3: each setpoint that an operator gave was written once at most. Raises Broken."""
        written = Counter(value for _, table, _, value in self.site.relay_f1.executed if table == "holding")
        for value in asked:
            if written[value] > 1:
                raise Broken(f"I3: setpoint {value} was written {written[value]} times")

    def alive(self) -> None:
        """After healing: one active, the other standby and in sync. Raises Broken."""
        roles = {letter: member.node.role.role.word for letter, member in self.site.members.items()}
        if sorted(roles.values()) != ["active", "standby"]:
            raise Broken(f"liveness: the members are {roles}")
        if not all(member.node.in_sync for member in self.site.members.values()):
            raise Broken("liveness: not in sync")
