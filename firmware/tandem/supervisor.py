"""The single loop: moves octets between ports and node, carries the node's actions out one by one, shows progress.

A *turn* is: what the sockets had, the node's tick, its actions in order, its octets, one mark of progress to the heart.
A loop that woke later than the lease allows tells the node before anything else happens: what was its right may be
another's by now.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from typing import cast

from tandem.action import Action, CloseChannel, Dial, Listen, OpenLine, Persist, Restart, Store, ToHeart
from tandem.codec.beat import BeatBody
from tandem.config.model import Config, Member
from tandem.node import Node
from tandem.point import MS, Say
from tandem.port import clock
from tandem.port.board import Board
from tandem.port.disk import StateFolder
from tandem.port.doors import Doors
from tandem.port.flash import Flash
from tandem.port.heart import HeartClient
from tandem.port.machine import Machine
from tandem.port.serial import SerialStream
from tandem.port.stream import Owner, Stream, TcpStream
from tandem.port.tcp_rules import center_rules, field_rules, source_address
from tandem.port.tls import Keys, TlsStream
from tandem.standby.linkup import LINK_PORT

_HANDED_OVER_S = 0.02  # how often to look whether the role has changed hands
_MOST_UNKNOWN = 16  # connections at the hot-standby port that have not finished their handshake
_log = logging.getLogger("tandem")


class Supervisor:
    """One gateway process: a node, its ports and its heart on one event loop."""

    def __init__(
        self,
        config: Config,
        member: Member,
        board: Board,
        state: StateFolder,
        keys: Keys,
        heart: HeartClient,
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self._flash = Flash(self.loop, state, self._written)
        past = self._flash.past(config.standby.journal == "durable")
        self.node = Node(config, member, board.relay, past, os.urandom, False, clock.monotonic_ns())
        self.node.network(board.network)
        self._machine = Machine(self.node.clock_reads, self.node.figures, clock.monotonic_ns())
        self.config = config
        self.member = member
        self.board = board
        self.keys = keys
        self.heart = heart
        self.stopped: asyncio.Future[str] = self.loop.create_future()
        self._streams: dict[str, Stream | TlsStream] = {}
        self._doors = Doors(self.loop, config, member, board, self._accept, self._door)
        self._accepted = 0
        self._turn_due = False
        self._due_at = self._wakes_at = 0
        self._body = BeatBody()
        self._timer: asyncio.Handle = self.loop.call_soon(self.turn_soon)
        self._turn_ended = clock.monotonic_ns()
        self._late_after_ns = config.standby.lease_ms * MS
        self._idle_ns = config.standby.stall_ms * MS // 2
        """The longest pause between two marks of progress, so that an idle loop is not taken for a hung one."""
        self.carry_out: dict[type, Callable[[Action], None]] = {
            Say: self._say,
            Dial: self._dial,
            OpenLine: self._open_line,
            CloseChannel: self._close,
            Listen: self._listen,
            Persist: self._flash.take,
            Store: self._flash.take,
            ToHeart: self._to_heart,
            Restart: self._restart,
        }

    async def run(self) -> str:
        """Run until the node asks to be started again or `stopped` is set; returns the reason."""
        self._turn_ended = clock.monotonic_ns()  # what came before was the start, not a stall
        self.loop.add_reader(self.heart.fileno(), self._woke, True)
        if self.member == "a":
            self._doors.open_link(LINK_PORT)
        try:
            return await self.stopped
        finally:
            self._shut_down()

    def end(self) -> None:
        """End in order: an active member hands its role over first, if somebody takes it in time."""
        if self.node.hand_over(clock.monotonic_ns()):
            self.turn_soon()
            self.loop.call_later(_HANDED_OVER_S, self.end)
        elif not self.stopped.done():
            self.stopped.set_result("stopped")

    # --- the turn -------------------------------------------------------------------------------------------------

    def turn_soon(self) -> None:
        """End this turn when everything that is ready now was taken in."""
        if not self._turn_due:
            self._turn_due = True
            self.loop.call_soon(self._turn)

    def enter(self) -> int:
        """The time, for whatever came in; a loop that was away too long loses its rights first."""
        now = clock.monotonic_ns()
        if now - self._turn_ended > self._late_after_ns:
            self._was_away(now)
        return now

    def _was_away(self, now: int) -> None:
        away_ns, self._turn_ended = now - self._turn_ended, now
        for stream in self._streams.values():
            stream.drop_pending()
        self.node.was_away(away_ns, now)
        self._do_actions()

    def _turn(self, drained: bool = False) -> None:
        self._turn_due = False
        if self.stopped.done():
            return
        if not drained:
            self._drain_heart()
        now = self.enter()
        self._machine.look(now)
        self._write(self.node.first(now))
        for half in (self.node.tick, self.node.pump):  # what was decided is done first
            half(now)
            if clock.monotonic_ns() - now > self._late_after_ns:
                self._was_away(clock.monotonic_ns())
            self._do_actions()
        outgoing = self.node.outgoing()
        self._turn_ended = clock.monotonic_ns()
        self._body = self.node.beat_body()
        self.heart.publish(self._turn_ended, self._body)
        self._write(outgoing)
        self._machine.turn(self._turn_ended - now)
        self._due_at = self.node.due()
        self._sleep()

    def _write(self, outgoing: list[tuple[str, bytes]]) -> None:
        for channel, octets in outgoing:
            if stream := self._streams.get(channel):
                stream.write(octets)

    def _sleep(self) -> None:
        latest = self._turn_ended + self._idle_ns
        at = self._due_at if self._due_at < latest + self._idle_ns // 5 else latest
        if latest - self._idle_ns // 4 < self._wakes_at <= at:
            return  # turn after turn comes: the timer that runs looks, and sleeps on
        self._timer.cancel()
        self._wakes_at = at
        self._timer = self.loop.call_at(at / 1e9, self._woke)

    def _woke(self, readable: bool = False) -> None:
        """If nothing new came and nothing is due either, the progress is shown, and that is the turn."""
        now, news = self.enter(), False
        if not readable:
            self._wakes_at = 0
        if readable or now >= self._due_at:
            news = self._drain_heart(readable)
            self._due_at = self.node.due()  # a silence that was to be judged then may have ended meanwhile
        if self._turn_due or self.stopped.done():
            return
        if news or now >= self._due_at:
            self.turn_soon() if readable else self._turn(True)  # before a timer comes all that was ready with it
            return
        self._turn_ended = now
        self.heart.publish(now, self._body)
        self._sleep()

    def _do_actions(self) -> None:
        for _ in range(8):  # an action may be answered at once (a file written), and the answer may ask for more
            for action in (actions := self.node.actions()):
                self.carry_out[type(action)](action)
            if not actions:
                return

    # --- what comes in ----------------------------------------------------------------------------------------------

    def opened(self, stream: Stream) -> None:
        """A dialed connection or a line is up."""
        self.node.opened(stream.channel, self.enter())
        self.turn_soon()

    def received(self, stream: Stream, octets: bytes) -> None:
        """Octets of some channel; what the other member waits for leaves at once."""
        now = self.enter()
        self.node.receive(stream.channel, octets, now)
        if stream.channel.startswith("link:"):
            self._write(self.node.first(now))
        self.turn_soon()

    def closed(self, stream: Stream, reason: str) -> None:
        """A channel ended by itself."""
        if self._streams.get(stream.channel) is stream:
            del self._streams[stream.channel]
        self.node.closed(stream.channel, reason, self.enter())
        self.turn_soon()

    def _drain_heart(self, readable: bool = False) -> bool:
        """True when something new was told."""
        return any([self.node.heart_says(message, self.enter()) for message in self.heart.messages(readable)])

    # --- actions ----------------------------------------------------------------------------------------------------

    def _say(self, action: Action) -> None:
        say = cast(Say, action)
        _log.log(logging.getLevelNamesMapping()[say.level.upper()], "%s", say.text)

    def _dial(self, action: Action) -> None:
        dial = cast(Dial, action)
        lan = self.config.lan(dial.lan)
        source = source_address(lan, self.member, dial.source, dial.host)
        stream: TcpStream | TlsStream
        if dial.tls:
            stream = TlsStream(self.loop, dial.channel, self._owner(), self.keys, server=False)
        else:
            rules = field_rules(self.config, dial.channel, dial.source)
            stream = TcpStream(self.loop, dial.channel, self._owner(), rules)
        self._streams[dial.channel] = stream
        stream.dial((self.board.plane(dial.host), dial.port), self.board.plane(source))

    def _open_line(self, action: Action) -> None:
        wanted = cast(OpenLine, action)
        line = self.config.serial(wanted.line)
        stream = SerialStream(self.loop, wanted.channel, self._owner())
        self._streams[wanted.channel] = stream
        stream.open(self.board.serial(line.ports[self.member]), line)

    def _close(self, action: Action) -> None:
        close = cast(CloseChannel, action)
        if stream := self._streams.pop(close.channel, None):
            stream.close(close.reset)

    def _written(self, action: Persist | Store, fault: str) -> None:
        if isinstance(action, Persist):
            self.node.persisted(action, fault, self.enter())
        else:
            self.node.keeping.stored(action, fault, self.enter())
        self.turn_soon()

    def _listen(self, action: Action) -> None:
        wanted = cast(Listen, action)
        self._doors.listen(wanted.slave, wanted.on)

    def _door(self, slave: str, fault: str) -> None:
        self.node.door(slave, fault, self.enter())
        self.turn_soon()

    def _to_heart(self, action: Action) -> None:
        self.heart.request(cast(ToHeart, action).request)

    def _restart(self, action: Action) -> None:
        if not self.stopped.done():
            self.stopped.set_result(cast(Restart, action).reason)

    def _owner(self) -> Owner:
        return cast(Owner, self)

    def _accept(self, prefix: str, connection: socket.socket, host: str, on_group: bool) -> None:
        self._accepted += 1
        channel = f"{prefix}#{self._accepted}"
        stream: TcpStream | TlsStream
        if prefix.startswith("link:"):
            if sum(isinstance(s, TlsStream) and not s.shaken for s in self._streams.values()) >= _MOST_UNKNOWN:
                connection.close()
                self.node.closed(channel, f"{host}: too many at once do not say who they are", self.enter())
                return
            stream = TlsStream(self.loop, channel, self._owner(), self.keys, server=True)
        else:
            rules = center_rules(self.config, prefix.removeprefix("slave:"), on_group)
            stream = TcpStream(self.loop, channel, self._owner(), rules)
            self.node.accepted(channel, host, on_group, self.enter())
        self._streams[channel] = stream
        self._do_actions()  # a refused stranger is gone before his first octet is read
        if channel in self._streams:
            stream.adopt(connection)
        else:
            connection.close()
        self.turn_soon()

    def _shut_down(self) -> None:
        self._timer.cancel()
        self._doors.close()
        self._flash.close(self.node.keeping.last())
        for stream in self._streams.values():
            stream.close(reset=True)
        self.loop.remove_reader(self.heart.fileno())
        self.heart.close()
