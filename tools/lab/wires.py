"""What can be done to the laboratory's cables: pull and plug (carrier), and cut one way (an nftables drop)."""

from __future__ import annotations

import fcntl
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from tools.bench.client import BenchClient, JsonLines
from tools.bench.plan import MEMBERS
from tools.lab.netns import NotPermitted, within
from tools.lab.topology import WIRES, Topology

_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 1
_TABLE = "tandem_cuts"


class Wires:
    """The cables' ends in the namespace of the bridges; a socket made there keeps us in reach of them."""

    def __init__(self, plan: Topology) -> None:
        self.plan = plan
        with within(plan.name(WIRES)):
            self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.whole = {(leg.who, leg.lan): True for leg in plan.legs}
        self._one_way: set[tuple[str, str, str]] = set()

    def carrier(self, who: str, lan: str, up: bool) -> None:
        """Plug or pull a cable: its other end's carrier follows at once. Raises OSError, ValueError."""
        name = struct.pack("16s", self.plan.port(who, lan).encode())
        flags = struct.unpack("16sH", fcntl.ioctl(self._sock, _GET_FLAGS, name + bytes(16))[:18])[1]
        wanted = flags | _UP if up else flags & ~_UP
        fcntl.ioctl(self._sock, _SET_FLAGS, name + struct.pack("H14x", wanted))
        self.whole[who, lan] = up

    def one_way(self, who: str, lan: str, way: str, cut: bool) -> None:
        """Drop what `who` sends ("out") or would hear ("in") on a LAN, or let it pass again."""
        if way not in ("in", "out"):
            raise ValueError(f"{way!r} is no way of a cable: in or out")
        (self._one_way.add if cut else self._one_way.discard)((who, lan, way))
        rules = [f"add table netdev {_TABLE}", f"delete table netdev {_TABLE}", f"add table netdev {_TABLE}"]
        for place, (whose, where, direction) in enumerate(sorted(self._one_way)):
            hook = "ingress" if direction == "out" else "egress"
            device = self.plan.port(whose, where)
            rules.append(
                f"add chain netdev {_TABLE} cut{place} "
                f'{{ type filter hook {hook} device "{device}" priority -400; policy drop; }}'
            )
        with within(self.plan.name(WIRES)):
            done = subprocess.run(
                ["nft", "-f", "-"], input="\n".join(rules), capture_output=True, text=True, check=False
            )
        if done.returncode:
            raise NotPermitted(f"nft: {done.stderr.strip()}")

    def heal(self) -> None:
        """Every cable whole, both ways."""
        for (who, lan), whole in list(self.whole.items()):
            if not whole:
                self.carrier(who, lan, True)
        for cut in list(self._one_way):
            self.one_way(*cut, cut=False)

    def close(self) -> None:
        """Give the socket back."""
        self._sock.close()


class LabClient(BenchClient):
    """The relay bench for relays and lines, the wires for cables, the observer for who has the group address."""

    def __init__(self, run: Path, wires: Wires, lans: list[str]) -> None:
        super().__init__(run)
        self.wires = wires
        self.lans = lans
        self.observer = JsonLines(run / "observer.sock", wait_s=5.0)

    def cut(self, what: str, member: str | None = None) -> int:
        """A LAN, "lans" (all of them), the crossover or a supply; returns when, in monotonic ns."""
        return self._cut(what, member, False)

    def restore(self, what: str, member: str | None = None) -> int:
        """Undo a cut; returns when, in monotonic ns."""
        return self._cut(what, member, True)

    def _cut(self, what: str, member: str | None, whole: bool) -> int:
        t = time.monotonic_ns()
        if what in (*self.lans, "lans", "power"):
            for m in (member,) if member else MEMBERS:
                for lan in (what,) if what in self.lans else self.lans:
                    self.wires.carrier(m, lan, whole)
        if what in ("crossover", "power"):
            (super().restore if whole else super().cut)(what, member)
        return t

    def state(self) -> dict[str, Any]:
        """The relay bench's, with the owner of each LAN as the observer has it and the cables as they are."""
        state = super().state()
        seen = self.observer.ask({"do": "owner"})["owner"]
        state["owner"] = {lan: seen.get(lan) for lan in self.lans}
        for m in MEMBERS:
            state["members"][m]["cables"] = {lan: self.wires.whole[m, lan] for lan in self.lans}
        return state

    def history(self, since_ns: int = 0) -> list[tuple[int, str, str, Any]]:
        """The relay bench's, and each change of who answers for a LAN's group address."""
        told = [e for e in super().history(since_ns) if e[1] not in ("owner", "holds", "lease")]
        owners = self.observer.ask({"do": "owners", "since": since_ns})["events"]
        return sorted(told + [(t, "owner", lan, member) for t, lan, member in owners])

    def judge(self, since_ns: int, loser: str, survivor: str) -> dict[str, Any]:
        """What the loser still sent for the group address after the survivor had it; see `observer`."""
        return self.observer.ask({"do": "judge", "since": since_ns, "loser": loser, "survivor": survivor})

    def frames(self, member: str, since_ns: int, until_ns: int | None = None) -> dict[str, Any]:
        """What a member sent for the group address: counts by kind, and the first ones."""
        return self.observer.ask({"do": "frames", "since": since_ns, "until": until_ns, "member": member})

    def close(self) -> None:
        """Close both connections."""
        self.observer.close()
        super().close()
