"""A group between network namespaces for the tests of the pair, and strangers on its LANs."""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.support.pair_rig import WAIT_S, Group
from tools.bench.faults import Fault
from tools.bench.members import BOTH
from tools.bench.plan import other
from tools.lab.netns import ip, within
from tools.lab.stage import Lab
from tools.lab.topology import WIRES
from tools.lab.wires import LabClient

_ETH_ALL, _IP = 3, b"\x08\x00"
_TAP_S = 2.0


class LabGroup(Group):
    """A running group whose stage is a laboratory."""

    stage: Lab
    bench: LabClient

    def __enter__(self) -> LabGroup:
        super().__enter__()
        return self

    def wait(self, done: Callable[[], Any], what: str, seconds: float = WAIT_S) -> Any:
        """As of every group; what the kernels of members and router knew stands beside the last words."""
        try:
            return super().wait(done, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self._networks()}") from None

    def _networks(self) -> str:
        told = []
        for who in (*self.members, "router"):
            for words in ("ip -br address", "ip neighbour", "nft list set netdev tandem lease"):
                line = ["ip", "netns", "exec", self.stage.plan.name(who), *words.split()]
                done = subprocess.run(line, capture_output=True, text=True, check=False)
                told.append(f"--- {who}: {words}\n{done.stdout}{done.stderr}")
        return "".join(told)

    def heal(self) -> None:
        """Every cable whole, every process thawed or started again, and in sync."""
        self.bench.wires.heal()
        state = self.bench.state()
        if not state["crossover"]:
            self.bench.restore("crossover")
        for name, member in self.members.items():
            if not state["members"][name]["power"]:
                self.bench.restore("power", name)
            if not member.alive or member.frozen or set(member.pids()) != set(BOTH):
                member.start()
        self.wait_ready()

    def taken_over(self, fault: Fault, by: str) -> None:
        """The other member is active and the center answered; until then the probe looks for itself, see WATCH."""
        self.wait(lambda: self.members[by].status().get("role") == "active", "the standby is active")
        self.wait(lambda: self.probe_ledger.since(fault.t_ns, "answered"), "the center is answered again")
        self.calm()

    def thaw(self, member: str) -> None:
        """Everything of a member that stands still goes on; what has ended is left."""
        self.members[member].signal(signal.SIGCONT, *BOTH)

    def late(self, since_ns: int, loser: str) -> dict[str, int]:
        """What the observer saw of the loser for a group address after the successor had it, by kind, resets apart."""
        seen = self.bench.judge(since_ns, loser, other(loser))
        assert seen["taken"] is not None, "nobody took the group address"
        return dict(seen["kinds"])

    @contextmanager
    def socket_in(self, who: str, lan: str) -> Iterator[socket.socket]:
        """Raw frames on somebody's cable, at the end of `who`; for "wires:X" at the bridge's end of X's."""
        whose = who.partition(":")[2]
        leg = next(leg for leg in self.stage.plan.legs if (leg.who, leg.lan) == (whose or who, lan))
        with within(self.stage.plan.name(WIRES if whose else who)):
            sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ALL))
        with sock:
            sock.bind((leg.port if whose else leg.device, _ETH_ALL))
            sock.settimeout(_TAP_S)
            yield sock

    def overheard(self, member: str, lan: str, wanted: Callable[[bytes], bool], count: int) -> list[bytes]:
        """The next frames of a kind on a member's cable, as a tap would see them; fewer where there are no more."""
        found: list[bytes] = []
        until = time.monotonic() + _TAP_S
        with self.socket_in(f"wires:{member}", lan) as tap:
            while len(found) < count and time.monotonic() < until:
                frame = tap.recv(2048)
                if wanted(frame):
                    found.append(frame)
        return found

    def stranger_address(self, address: str, on: bool) -> None:
        """A host of the field takes an address of the station LAN, or gives it back."""
        leg = next(leg for leg in self.stage.plan.legs if leg.who == "field")
        verb = "add" if on else "delete"
        ip([f"address {verb} {address} dev {leg.device}"], self.stage.plan.name("field"))


def is_udp(frame: bytes, port: int) -> bool:
    """An IPv4 datagram to a port."""
    return frame[12:14] == _IP and frame[23] == 17 and struct.unpack_from(">H", frame, 36)[0] == port


def is_tcp(frame: bytes, port: int, from_ip: str) -> bool:
    """An IPv4 segment of a connection to a port, sent by a host."""
    ports = struct.unpack_from(">HH", frame, 34)
    return frame[12:14] == _IP and frame[23] == 6 and port in ports and frame[26:30] == socket.inet_aton(from_ip)


def reset_after(frame: bytes) -> bytes:
    """The reset that would end the overheard segment's connection at its receiver: the next number in its window."""
    header = 14 + 4 * (frame[14] & 15)
    offset = 4 * (frame[header + 12] >> 4)
    length = struct.unpack_from(">H", frame, 16)[0] - (header - 14) - offset
    ports, number, acknowledged = frame[header : header + 4], *struct.unpack_from(">II", frame, header + 4)
    number = (number + length) & 0xFFFFFFFF
    tcp = ports + struct.pack(">IIBBHHH", number, acknowledged, 5 << 4, 0x14, 0, 0, 0)
    pseudo = frame[26:34] + struct.pack(">BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack(">H", _sum(pseudo + tcp)) + tcp[18:]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + frame[26:34]
    head = head[:10] + struct.pack(">H", _sum(head)) + head[12:]
    return frame[:14] + head + tcp


def _sum(octets: bytes) -> int:
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    total = (total & 0xFFFF) + (total >> 16)
    return int(~(total + (total >> 16)) & 0xFFFF)
