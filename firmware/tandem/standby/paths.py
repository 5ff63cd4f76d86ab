"""The heartbeat paths one by one: which live, which refuse, and when refusals add up to a proven death."""

from __future__ import annotations

from tandem.point import MS
from tandem.standby.guard_words import Rules
from tandem.standby.peer import NEVER, PathView

CARRIER_SETTLE_NS = 1_000 * MS
PROOF_NS = 5 * MS
"""Time for an answer, besides its way there and back."""
ADDRESS_DIES_NS = 5 * MS
"""A group address outlives its dead heart by 2 to 3 ms: a refusal is no proof before that."""


class Path:
    """One path: when a fresh beat came over it, when it refused, whether its LAN has a carrier."""

    def __init__(self, name: str, delivery_ns: int, serial: bool) -> None:
        self.name = name
        self.delivery_ns = delivery_ns
        self.serial = serial
        self.fresh_ns = NEVER
        self.refused_ns = NEVER
        self.refused_since = NEVER
        self.carrier = True


class Paths:
    """All paths of the group between the members."""

    def __init__(self, rules: Rules, now: int) -> None:
        self.rules = rules
        self.each = [Path(*rule) for rule in rules.paths]
        self.probed_ns = NEVER
        self.settled_at = now

    def carrier(self, lan: str, up: bool, now: int) -> None:
        """A LAN's carrier; for a second after its return silence proves nothing."""
        for path in self.each:
            if path.name == f"lan.{lan}" and path.carrier != up:
                path.carrier = up
                if up:
                    self.settled_at = now + CARRIER_SETTLE_NS

    def fresh(self, at_ns: tuple[int, ...]) -> None:
        """When the newest fresh beat came over each path, as far as they are told."""
        for path, fresh_ns in zip(self.each, at_ns, strict=False):
            path.fresh_ns = max(path.fresh_ns, fresh_ns or NEVER)

    def refused(self, index: int, now: int) -> bool:
        """A datagram was refused. True when that is news: all paths should be probed now."""
        path = self.each[index]
        news = path.refused_ns <= path.fresh_ns
        path.refused_ns = now
        if news:
            path.refused_since = now
        return news

    def may_probe(self, now: int) -> bool:
        """True, and noted, unless a probe left within the last beat period."""
        if self.probed_ns != NEVER and now - self.probed_ns < self.rules.heartbeat_ns:
            return False
        self.probed_ns = now
        return True

    def dead(self, fresh_ns: int, now: int) -> str:
        """The proof of death, or "": refused on each IP path that lived, and no serial beat in its time.

        `fresh_ns`: the newest fresh beat of any path. A refusal proves nothing about who spoke after it: a member may
        be back without its LANs, and then only a serial path tells so.
        """
        if self.probed_ns == NEVER:
            return ""
        since = self.probed_ns - self.rules.dead_ns
        lived = [path for path in self.each if path.fresh_ns != NEVER and path.fresh_ns >= since]
        wired = [path for path in lived if not path.serial]
        on_its_way_ns = max((path.delivery_ns for path in lived if path.serial), default=0)
        counts = max(self.probed_ns - self.rules.heartbeat_ns, fresh_ns - on_its_way_ns, now - self.rules.dead_ns)
        if not wired or not all(p.refused_ns > p.fresh_ns and p.refused_ns >= counts for p in wired):
            return ""
        serial_ns = max((2 * path.delivery_ns + PROOF_NS for path in lived if path.serial), default=0)
        refused_ns = max(path.refused_since for path in wired)
        if now - max(self.probed_ns, fresh_ns) < serial_ns or now - refused_ns < ADDRESS_DIES_NS:
            return ""
        return f"refused on {', '.join(path.name for path in wired)}"

    def last_refused(self) -> int:
        """When a datagram was refused last, on any path."""
        return max((path.refused_ns for path in self.each), default=NEVER)

    def answer_at(self) -> int | None:
        """When a probe that was sent must be answered on the slowest path."""
        if self.probed_ns == NEVER:
            return None
        return self.probed_ns + PROOF_NS + 2 * max(path.delivery_ns for path in self.each)

    def proof_at(self) -> int | None:
        """When the newest refusal may count as proof."""
        since = max((path.refused_since for path in self.each), default=NEVER)
        return None if since == NEVER else since + ADDRESS_DIES_NS

    def slowest_living_ns(self, now: int) -> int:
        """Delivery time of the slowest path that brought a fresh beat within D."""
        return max((path.delivery_ns for path in self.each if self._alive(path, now)), default=0)

    @property
    def isolated(self) -> bool:
        """There are LANs among the paths, and none has a carrier."""
        wired = [path for path in self.each if not path.serial]
        return bool(wired) and not any(path.carrier for path in wired)

    def view(self, now: int) -> tuple[PathView, ...]:
        """Every path as data."""
        return tuple(
            PathView(path.name, self._alive(path, now), path.fresh_ns, path.refused_ns, path.carrier)
            for path in self.each
        )

    def _alive(self, path: Path, now: int) -> bool:
        return path.fresh_ns != NEVER and now - path.fresh_ns < self.rules.dead_ns
