"""`python -m tools.lab.observer --dir RUN --port MEMBER:LAN:DEVICE ... --group IP ...`: who answers for which address.

It listens at the bridge's end of every member's cable (AF_PACKET), so a frame's sender is known by its cable, and
keeps each frame whose source is a group address: IP, ARP, neighbour advertisements. It never sends.
RUN/observer.sock takes JSON lines:

    {"do": "frames", "since": NS, "until": NS | null, "member": M}
        <- {"frames": [[ns, lan, kind, ip, mac], ...], "counts": {kind: n}}
    {"do": "judge", "since": NS, "loser": M, "survivor": M}
        <- {"taken": NS | null, "late": N, "resets": N, "kinds": {kind: n}, "last": NS | null}
    {"do": "owner"}                  <- {"owner": {LAN: MEMBER}}
    {"do": "owners", "since": NS}    <- {"events": [[ns, lan, member], ...]}

*taken*: the survivor's first announcement or answer after `since`. *late*: what the loser sent for a group address
after that, resets apart. Times are monotonic ns, the kernel's own stamps.
"""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import json
import socket
import struct
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any, NamedTuple

from tools.bench.processes import end_with_parent

FRAMES_MOST = 400_000
_SAMPLE = 50
_SO_TIMESTAMPNS, _SOL_PACKET, _IGNORE_OUTGOING, _ETH_ALL = 35, 263, 23, 3
_OUTGOING = 4
_READS = 64


class Frame(NamedTuple):
    """One frame that speaks for a group address; `kind`: announce, arp, nd, reset, ip."""

    t: int
    member: str
    lan: str
    kind: str
    ip: str
    mac: str


def kind_of(octets: bytes, group: dict[bytes, str]) -> tuple[str, str]:
    """(kind, group address) of a frame, ("", "") for one that has nothing to do with a group address."""
    sort = octets[12:14]
    if sort == b"\x08\x06" and (ip := group.get(octets[28:32])):
        return ("announce" if octets[38:42] == octets[28:32] else "arp"), ip
    if sort == b"\x08\x00" and (ip := group.get(octets[26:30])):
        start = 14 + 4 * (octets[14] & 15)
        return ("reset" if octets[23] == 6 and octets[start + 13] & 4 else "ip"), ip
    if sort == b"\x86\xdd":
        if octets[20] == 58 and octets[54] == 136 and (ip := group.get(octets[62:78])):
            return ("announce" if not octets[58] & 0x40 else "nd"), ip
        if ip := group.get(octets[22:38]):
            return ("reset" if octets[20] == 6 and octets[67] & 4 else "ip"), ip
    return "", ""


class Book:
    """What was seen, and what can be asked of it."""

    def __init__(self, group: list[str]) -> None:
        self.group = {ipaddress.ip_address(ip).packed: ip for ip in group}
        self.frames: deque[Frame] = deque(maxlen=FRAMES_MOST)
        self.owner: dict[str, str] = {}
        self.owners: list[tuple[int, str, str]] = []

    def seen(self, t: int, member: str, lan: str, octets: bytes) -> None:
        """A frame came out of a member's cable."""
        try:
            kind, ip = kind_of(octets, self.group)
        except IndexError:
            return
        if not kind:
            return
        self.frames.append(Frame(t, member, lan, kind, ip, octets[6:12].hex(":")))
        if kind != "reset" and self.owner.get(lan) != member:
            self.owner[lan] = member
            self.owners.append((t, lan, member))

    def since(self, t: int, until: int | None = None) -> list[Frame]:
        """Frames from then on, oldest first."""
        found = []
        for frame in reversed(self.frames):
            if frame.t < t:
                break
            if until is None or frame.t <= until:
                found.append(frame)
        return found[::-1]

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to one question. Raises ValueError, KeyError."""
        verb = asked["do"]
        if verb == "owner":
            return {"owner": self.owner}
        if verb == "owners":
            return {"events": [list(e) for e in self.owners if e[0] >= int(asked["since"])]}
        frames = self.since(int(asked["since"]), asked.get("until"))
        if verb == "frames":
            mine = [f for f in frames if f.member == asked["member"]]
            counts = Counter(f.kind for f in mine)
            return {"frames": [[f.t, f.lan, f.kind, f.ip, f.mac] for f in mine[:_SAMPLE]], "counts": counts}
        if verb == "judge":
            return judge(frames, str(asked["loser"]), str(asked["survivor"]))
        raise ValueError(f"{verb!r} cannot be asked; these can: owner, owners, frames, judge")


def judge(frames: list[Frame], loser: str, survivor: str) -> dict[str, Any]:
    """What the loser still sent for a group address after the survivor had it."""
    taken = next((f.t for f in frames if f.member == survivor and f.kind != "reset"), None)
    after = [f for f in frames if f.member == loser and taken is not None and f.t > taken]
    kinds = Counter(f.kind for f in after if f.kind != "reset")
    resets = sum(f.kind == "reset" for f in after)
    last = max((f.t for f in after if f.kind != "reset"), default=None)
    return {"taken": taken, "late": sum(kinds.values()), "resets": resets, "kinds": kinds, "last": last}


class Port:
    """One cable's end."""

    def __init__(self, book: Book, member: str, lan: str, device: str) -> None:
        self._book, self._member, self._lan = book, member, lan
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.htons(_ETH_ALL))
        self.sock.bind((device, _ETH_ALL))
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.sock.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)

    def ready(self) -> None:
        """Take in what is there."""
        apart = time.monotonic_ns() - time.time_ns()
        for _ in range(_READS):
            try:
                octets, more, _, address = self.sock.recvmsg(128, 64)
            except BlockingIOError:
                return
            except OSError:
                continue  # the cable was pulled: said once
            if address[2] == _OUTGOING:
                continue
            t = apart + time.time_ns()
            for _, sort, data in more:
                if sort == _SO_TIMESTAMPNS:
                    seconds, ns = struct.unpack("qq", data)
                    t = apart + seconds * 1_000_000_000 + ns
            self._book.seen(t, self._member, self._lan, octets)


async def _main(asked: argparse.Namespace) -> None:
    book = Book(asked.group)
    loop = asyncio.get_running_loop()
    for word in asked.port:
        port = Port(book, *word.split(":"))
        loop.add_reader(port.sock.fileno(), port.ready)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                answer = {"ok": True, **book.answer(json.loads(line))}
            except (ValueError, KeyError, TypeError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    await asyncio.start_unix_server(serve, asked.dir / "observer.sock")
    print(f"observer ready: {len(asked.port)} cables, {', '.join(asked.group)}", flush=True)
    await asyncio.Event().wait()


def main() -> int:
    """Observe until a signal; exit code 2 with a sentence where a cable cannot be listened at."""
    parser = argparse.ArgumentParser(prog="observer")
    parser.add_argument("--dir", required=True, type=Path)
    parser.add_argument("--port", action="append", default=[], metavar="MEMBER:LAN:DEVICE")
    parser.add_argument("--group", action="append", default=[], metavar="IP")
    asked = parser.parse_args()
    end_with_parent()
    try:
        asyncio.run(_main(asked))
    except (OSError, ValueError) as error:
        print(f"observer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
