"""Serial lines as ptys: octets arrive when the last of them would have, at the line's baud, where contacts let them."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import termios
import tty
from pathlib import Path

from tools.bench.plan import MEMBERS, LinePlan
from tools.bench.relaybench.loop import IN, Loop
from tools.bench.relaybench.world import World

PENDING_MOST = 4096
"""Octets in a pty that nobody reads: more are lost, as in a UART's buffer."""


class Line:
    """One line and its ends. A field line is a bus: what one end says all others hear, if their contact is closed."""

    def __init__(self, plan: LinePlan, run: Path, loop: Loop, world: World) -> None:
        self.plan = plan
        self.loop = loop
        self.world = world
        self.lost = 0
        self.passed = 0
        self._master: dict[str, int] = {}
        self._slave: dict[str, int] = {}
        self._busy_until = dict.fromkeys(plan.links, 0)
        for end, link in plan.links.items():
            master, slave = pty.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            path = run / link
            path.unlink(missing_ok=True)
            path.symlink_to(os.ttyname(slave))
            self._master[end], self._slave[end] = master, slave
            loop.add(master, IN, lambda mask, end=end: self._heard(end))  # type: ignore[misc]

    def joined(self, end: str) -> bool:
        """The end's transceiver is on the line now."""
        if self.plan.kind == "crossover":
            return self.world.crossover and self.world.power[end]
        return end == "field" or self.world.drives(end, self.plan.switched)

    def _heard(self, end: str) -> None:
        """An end sent: its octets are on the line one after the other, and arrive together behind the last."""
        try:
            octets = os.read(self._master[end], 65536)
        except OSError:
            return
        if not self.joined(end):
            self.lost += len(octets)
            return
        done = max(self.loop.now, self._busy_until[end]) + len(octets) * self.plan.octet_ns
        self._busy_until[end] = done
        self.loop.at(done, lambda: self._deliver(end, octets))

    def _deliver(self, end: str, octets: bytes) -> None:
        if not self.joined(end):
            self.lost += len(octets)
            return
        self.passed += len(octets)
        for to, master in self._master.items():
            if to == end or not self.joined(to):
                continue
            if self._unread(to) + len(octets) > PENDING_MOST:
                self.lost += len(octets)
                continue
            try:
                os.write(master, octets)
            except OSError:
                self.lost += len(octets)

    def _unread(self, end: str) -> int:
        return int(struct.unpack("i", fcntl.ioctl(self._slave[end], termios.FIONREAD, b"\0\0\0\0"))[0])

    def fresh(self, end: str) -> None:
        """A board started: what its UART held is gone."""
        if end in self._slave:
            termios.tcflush(self._slave[end], termios.TCIOFLUSH)

    def remove_links(self, run: Path) -> None:
        """Take the links out of the run folder."""
        for link in self.plan.links.values():
            (run / link).unlink(missing_ok=True)


class Lines:
    """All lines; a heart that comes finds its board's ports empty."""

    def __init__(self, plans: tuple[LinePlan, ...], run: Path, loop: Loop, world: World) -> None:
        self.lines = [Line(plan, run, loop, world) for plan in plans]
        self.run = run
        self._world = world
        self._hearts = dict(world.hearts)
        world.changed.append(self._judge)

    def _judge(self) -> None:
        for m in MEMBERS:
            if self._world.hearts[m] and not self._hearts[m]:
                for line in self.lines:
                    line.fresh(m)
        self._hearts = dict(self._world.hearts)

    def close(self) -> None:
        """Take the links away."""
        for line in self.lines:
            line.remove_links(self.run)
