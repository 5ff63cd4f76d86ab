"""`python -m tandem decode --protocol modbus|iec104 FILE [--json]`: every frame of a capture, explained.

With --json one object a line: `packet` number, `time`, `from`, `to`, `octets`, and what the codec's tables say;
what is damaged, missing or no frame has an `error` instead of a meaning.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tandem.codec.iec60870 import apci
from tandem.codec.iec60870.describe import describe as describe_iec104
from tandem.codec.modbus.describe import describe as describe_modbus
from tandem.codec.modbus.pdu import FrameError
from tandem.codec.modbus.tcp import TcpFrames
from tandem.codec.pcap import Fault, packets
from tandem.codec.tcp_stream import Direction, Piece, Segment, segment

End = tuple[str, int]
Meaning = dict[str, Any]
Cut = Callable[[bytes, bool | None], tuple[list[Meaning], bytes]]
_SHOWN_APART = {"packet", "time", "from", "to", "octets", "objects", "error"}
_BARE = {"name", "format", "function", "cause_name", "state", "direction"}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def cut_modbus(octets: bytes, to_server: bool | None) -> tuple[list[Meaning], bytes]:
    """The meanings of the whole frames in `octets`, and the rest that waits for more."""
    way: Any = None if to_server is None else ("request" if to_server else "reply")
    try:
        whole = sum(len(frame.pdu) + 7 for frame in TcpFrames().feed(octets))
    except FrameError:
        whole = len(octets)
    return list(describe_modbus(octets[:whole], way, tcp=True)), octets[whole:]


def cut_iec104(octets: bytes, _to_server: bool | None) -> tuple[list[Meaning], bytes]:
    """The meanings of the whole APDUs in `octets`, and the rest that waits for more."""
    splitter = apci.Splitter()
    whole = sum(map(len, splitter.feed(octets)))
    if splitter.fault:
        whole = len(octets)
    return describe_iec104(octets[:whole]), octets[whole:]


PROTOCOLS: dict[str, tuple[int, Cut]] = {"modbus": (502, cut_modbus), "iec104": (2404, cut_iec104)}


class _Flow:
    """One direction of one connection, with what is left of an unfinished frame."""

    def __init__(self, source: End, target: End, cut: Cut) -> None:
        self.direction = Direction()
        self.to_server: bool | None = None
        self._place = {"from": _end(source), "to": _end(target)}
        self._cut = cut
        self._rest = b""
        self._last = Piece(0, 0, b"")

    def feed(self, part: Segment) -> Iterator[Meaning]:
        if part.starts:
            yield from self.finish()
        for piece in self.direction.feed(part):
            yield from self._explain(piece)

    def _explain(self, piece: Piece) -> Iterator[Meaning]:
        if piece.lost:
            yield from self._leftover()
            yield self._at(piece, {"error": f"{piece.lost} octets are missing from the capture before this place"})
        self._last = piece
        found, self._rest = self._cut(self._rest + piece.octets, self.to_server)
        for meaning in found:
            yield self._at(piece, meaning)

    def finish(self) -> Iterator[Meaning]:
        """The direction ends: what was held, then what never became whole."""
        for piece in self.direction.finish():
            yield from self._explain(piece)
        yield from self._leftover()

    def _leftover(self) -> Iterator[Meaning]:
        rest, self._rest = self._rest, b""
        if rest:
            error = f"the frame ends here, after {len(rest)} octets"
            yield self._at(self._last, {"octets": rest.hex(), "error": error})

    def _at(self, piece: Piece, meaning: Meaning) -> Meaning:
        return {"packet": piece.packet, "time": _iso(piece.time_us), **self._place, **meaning}


def explain(octets: bytes, protocol: str, ports: set[int]) -> Iterator[Meaning]:
    """Every frame of a capture file as an object; never raises. `ports` empty: the protocol's, else every port."""
    standard, cut = PROTOCOLS[protocol]
    parts = list(_segments(octets))
    if not ports and any(_uses(part, {standard}) for part in parts):
        ports = {standard}
    flows: dict[tuple[End, End], _Flow] = {}
    for part in parts:
        if not isinstance(part, Segment):
            yield part
        elif not ports or _uses(part, ports):
            yield from _flow(flows, part, ports | {standard}, cut).feed(part)
    for flow in flows.values():
        yield from flow.finish()


def _segments(octets: bytes) -> Iterator[Segment | Meaning]:
    """TCP segments, and an error object for what is damaged (each sentence once: thousands would say no more)."""
    said: set[str] = set()
    for packet in packets(octets):
        if isinstance(packet, Fault):
            yield {"error": f"the file is damaged: {packet.sentence}"}
            continue
        part = segment(packet)
        if isinstance(part, Segment):
            yield part
        elif part is not None and part not in said:
            said.add(part)
            yield {"packet": packet.number, "time": _iso(packet.time_us), "error": f"{part} (said once)"}


def _uses(part: Segment | Meaning, ports: set[int]) -> bool:
    return isinstance(part, Segment) and (part.source[1] in ports or part.target[1] in ports)


def _flow(flows: dict[tuple[End, End], _Flow], part: Segment, servers: set[int], cut: Cut) -> _Flow:
    here, back = (part.source, part.target), (part.target, part.source)
    for ends in (here, back):
        if ends not in flows:
            flows[ends] = _Flow(*ends, cut)
    there = part.target[1] in servers
    if part.opens or (flows[here].to_server is None and there != (part.source[1] in servers)):
        flows[here].to_server = part.opens or there
        flows[back].to_server = not flows[here].to_server
    return flows[here]


def _end(end: End) -> str:
    return f"[{end[0]}]:{end[1]}" if ":" in end[0] else f"{end[0]}:{end[1]}"


def _iso(time_us: int) -> str:
    try:
        return (_EPOCH + timedelta(microseconds=time_us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except OverflowError:
        return f"{time_us} us"


def text(meaning: Meaning) -> str:
    """One object for people: a line of time, direction and meaning, its octets, and a line for each object in it."""
    shown = {key: value for key, value in meaning.items() if key not in _SHOWN_APART}
    way = f"{meaning.get('from', '')} > {meaning['to']}" if "to" in meaning else ""
    line = f"{meaning.get('time', ''):27} {way:45} {_words(shown)}"
    lines = [f"{line}ERROR {meaning['error']}" if "error" in meaning else line.rstrip()]
    if octets := meaning.get("octets", ""):
        lines.append(f"    {bytes.fromhex(octets).hex(' ')}")
    lines += [f"    {_words(found)}".rstrip() for found in meaning.get("objects", ())]
    return "\n".join(lines)


def _words(told: Meaning) -> str:
    """`key=value` pairs, false and empty ones left out; a name stands alone."""
    words = ""
    for key, value in told.items():
        if value is False or value is None or value == []:
            continue
        shown = ",".join(map(str, value)) if isinstance(value, list) else str(value)
        bare = key in _BARE and isinstance(value, str)
        words += f"{shown} " if bare else (f"{key} " if value is True else f"{key}={shown} ")
    return words


def run(argv: list[str]) -> int:
    """Explain a capture; exit code 1 when the file cannot be read or is no whole capture."""
    parser = argparse.ArgumentParser(prog="tandem decode", description="explain every frame of a capture")
    parser.add_argument("file", help="a pcap or pcapng file")
    parser.add_argument("--protocol", choices=sorted(PROTOCOLS), required=True)
    parser.add_argument("--port", type=int, action="append", default=[], help="TCP port (default: the protocol's own)")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame")
    asked = parser.parse_args(argv)
    try:
        octets = Path(asked.file).read_bytes()
    except OSError as error:
        print(f"tandem decode: {asked.file} cannot be read: {error.strerror or error}", file=sys.stderr)
        return 1
    code = 0
    try:
        for meaning in explain(octets, asked.protocol, set(asked.port)):
            print(json.dumps(meaning) if asked.json else text(meaning))
            code = 1 if "packet" not in meaning else code
        sys.stdout.flush()
    except BrokenPipeError:  # `| head`: nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
