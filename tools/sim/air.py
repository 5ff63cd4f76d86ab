"""Which way is whole between whom: cables, one-way faults, boards whose kernel stands; and the beats on their ways."""

from __future__ import annotations

from collections import deque
from typing import Any

from tandem.standby.rules import guard_rules
from tools.bench.plan import MEMBERS, other
from tools.sim.world import MS

LAN_NS = MS // 4
_CROSSOVER_MOST = 16  # frames that a serial port's buffer takes
_KEPT = 64  # recorded frames of each member


class Air:
    """The ways between the members. `site` is the `Site` they stand in."""

    def __init__(self, site: Any) -> None:
        self.world = site.world
        self.bench = site.bench
        self.site = site
        self.paths = guard_rules(site.config, "a", site.relay).paths
        self.hung: set[str] = set()
        """Members whose kernel stands: nothing comes in, nothing goes out, nothing is refused."""
        self.mute: set[tuple[str, str]] = set()
        """(member, LAN or "crossover"): what it sends there is lost."""
        self.recorded: dict[str, deque[tuple[int, bytes]]] = {m: deque(maxlen=_KEPT) for m in MEMBERS}
        """What somebody on the LAN could send again: (path, octets) by sender."""
        self.apart_until = 0
        """Until then the members may both own what is theirs: no octet passed between them a moment ago."""
        self._crossover_free = dict.fromkeys(MEMBERS, 0)

    def on_lan(self, letter: str, lan: str) -> bool:
        """The member has power, a living kernel and a whole cable there."""
        return letter not in self.hung and bool(self.bench.on_lan(letter, lan))

    def passes(self, sender: str, lan: str) -> bool:
        """What a member sends to its peer on that LAN arrives."""
        return self.on_lan(sender, lan) and self.on_lan(other(sender), lan) and (sender, lan) not in self.mute

    def sends(self, letter: str, lan: str) -> bool:
        """What a member sends there reaches others on that LAN."""
        return self.on_lan(letter, lan) and (letter, lan) not in self.mute

    def crosses(self, sender: str) -> bool:
        """What a member sends on the crossover cable arrives."""
        whole = self.bench.crossover and self.bench.power["a"] and self.bench.power["b"] and not self.hung
        return bool(whole) and (sender, "crossover") not in self.mute

    def apart(self) -> bool:
        """No path brings a beat from the one to the other, in one direction at least."""
        return any(not any(self._whole(sender, rule) for rule in self.paths) for sender in MEMBERS)

    def wholly_apart(self) -> bool:
        """No path brings a beat in either direction."""
        return all(not any(self._whole(sender, rule) for rule in self.paths) for sender in MEMBERS)

    def _whole(self, sender: str, rule: Any) -> bool:
        return self.crosses(sender) if rule.serial else self.passes(sender, rule.name.removeprefix("lan."))

    # --- beats ------------------------------------------------------------------------------------------------

    def send(self, letter: str, path: int, octets: bytes) -> None:
        """One frame of a heart on one path."""
        rule = self.paths[path]
        if rule.serial:
            self._cross(letter, path, octets)
            return
        self.recorded[letter].append((path, octets))
        self._fly(letter, path, octets, LAN_NS + self.world.random.randrange(LAN_NS))

    def replay(self, letter: str) -> None:
        """Somebody sends again what member `letter` once sent, as it was."""
        for path, octets in list(self.recorded[letter]):
            self._fly(letter, path, octets, LAN_NS)

    def _fly(self, letter: str, path: int, octets: bytes, delay_ns: int) -> None:
        peer = self.site.members[other(letter)]
        lan = self.paths[path].name.removeprefix("lan.")
        if not self.passes(letter, lan):
            return
        if peer.heart.alive:
            self.world.after(delay_ns, lambda: peer.hear_beat(path, octets))
        elif self.passes(peer.letter, lan):
            self.world.after(2 * delay_ns, lambda: self.site.members[letter].beat_refused(path))

    def _cross(self, letter: str, path: int, octets: bytes) -> None:
        """The crossover cable at its baud rate: what is sent waits behind what was sent before."""
        octet_ns = self.site.config.serial(self.paths[path].name.removeprefix("serial.")).octet_ns
        begins = max(self.world.now, self._crossover_free[letter])
        if begins - self.world.now > _CROSSOVER_MOST * len(octets) * octet_ns:
            return
        self._crossover_free[letter] = ends = begins + len(octets) * octet_ns

        def arrive() -> None:
            if self.crosses(letter):
                self.site.members[other(letter)].hear_beat(path, octets)

        self.world.at(ends, arrive)
