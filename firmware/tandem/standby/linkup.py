"""Which connection is the hot-standby link: b dials a, over the first LAN whose beats arrive; there is one at a time.

A link over a LAN whose beats stopped, while another LAN's arrive, hangs on a cut cable: it is reset and dialed anew.
The role of a member never depends on the link.
"""

from __future__ import annotations

from tandem.action import Action, CloseChannel, Dial
from tandem.config.model import Config, Member
from tandem.point import MS
from tandem.standby.peer import PathView

LINK_PORT = 4720
_AGAIN_NS = 200 * MS
_CONNECT_NS = 1_000 * MS


class LinkUp:
    """Keeps one link channel up. `channel` is its name while it is open, else ""."""

    def __init__(self, config: Config, member: Member) -> None:
        peer = "b" if member == "a" else "a"
        self._targets = [(lan.name, lan.members[peer].addresses[0].ip) for lan in config.lans if peer in lan.members]
        self._dials = member == "b"
        self._next = 0
        self._attempt = 0
        self._dialing = ""
        self._dial_at: int | None = 0 if self._dials else None
        self._give_up_at: int | None = None
        self.channel = ""
        self.intruders = 0
        self._intruded = False
        self._actions: list[Action] = []

    @staticmethod
    def lan_of(channel: str) -> str:
        """The LAN that a link channel runs over."""
        return channel.removeprefix("link:").partition("#")[0]

    def opened(self, channel: str) -> str:
        """A handshake is done: this is the link now. Returns the channel that it replaces, "" for none."""
        replaced, self.channel = self.channel, channel
        self._dialing, self._dial_at, self._give_up_at = "", None, None
        if replaced:
            self._actions.append(CloseChannel(replaced, "a newer link took its place", reset=True))
        return replaced

    def closed(self, channel: str, now: int) -> bool:
        """A connection ended; True when it was the link. One that never was counts as an intruder where we listen."""
        was_link = bool(channel) and channel == self.channel
        if was_link:
            self.channel = ""
        elif channel == self._dialing:
            self._dialing = ""
        else:
            self._intruded = not self._dials
            self.intruders += self._intruded
            return False
        if self._dials:
            self._next += not was_link
            self._dial_at, self._give_up_at = now + _AGAIN_NS, None
        return was_link

    def intruded(self) -> int:
        """How many strangers came so far, once for each of them; else 0."""
        intruded, self._intruded = self._intruded, False
        return self.intruders if intruded else 0

    def drop(self, reason: str, now: int) -> str:
        """Reset the link; returns its channel, "" when there was none."""
        channel = self.channel
        if channel:
            self._actions.append(CloseChannel(channel, reason, reset=True))
            self.closed(channel, now)
        return channel

    def hangs(self, paths: tuple[PathView, ...], now: int) -> bool:
        """True when the link's LAN is silent and another is not."""
        lan = f"lan.{self.lan_of(self.channel)}"
        alive = {path.name: path.alive for path in paths if path.name.startswith("lan.")}
        return bool(self.channel) and not alive.get(lan, True) and any(alive.values())

    def tick(self, paths: tuple[PathView, ...], now: int) -> None:
        """Dial when that is due, over a LAN whose beats arrive where there is one."""
        if self._give_up_at is not None and self._give_up_at <= now:
            self._actions.append(CloseChannel(self._dialing, "no answer", reset=True))
            self.closed(self._dialing, now)
        if self._dial_at is None or self._dial_at > now or self.channel or self._dialing:
            return
        alive = {path.name for path in paths if path.alive}
        order = [self._targets[(self._next + i) % len(self._targets)] for i in range(len(self._targets))]
        lan, host = next((t for t in order if f"lan.{t[0]}" in alive), order[0])
        self._attempt += 1
        self._dialing = f"link:{lan}#{self._attempt}"
        self._dial_at, self._give_up_at = None, now + _CONNECT_NS
        self._actions.append(Dial(self._dialing, lan, host, LINK_PORT, "own", tls=True))

    def due(self) -> int | None:
        """When `tick` must come."""
        return self._give_up_at if self._dial_at is None else self._dial_at

    def actions(self) -> list[Action]:
        """Drain what the outside has to do."""
        drained, self._actions = self._actions, []
        return drained
