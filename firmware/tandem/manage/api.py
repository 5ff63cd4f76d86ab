"""The local API: a unix socket in the state folder, one JSON object a line each way.

    -> {"v": 1, "ask": "status"}                                    <- {"v": 1, "ok": true, "status": {...}}
    -> {"v": 1, "ask": "points", "match": "F1.", "from": 0}         <- {..., "points": [...], "next": 500 | null}
    -> {"v": 1, "ask": "events", "after": 0, "most": 100}           <- {..., "events": [...], "head": 1234}
    -> {"v": 1, "ask": "event", "number": 1234}                     <- {..., "event": {...}}      (see `journeys`)
    -> {"v": 1, "ask": "switchover", "to": "a" | "b" | "peer"}      <- {..., "sentence": "..."}
    -> {"v": 1, "ask": "out", "reason": "firmware"}                 <- {..., "sentence": "..."}   (see `operating`)
    -> {"v": 1, "ask": "reset_statistics", "device": "F1"}          <- {..., "sentence": "..."}
    -> {"v": 1, "ask": "help"}                                      <- {..., "asks": {...}}

A refusal is {"v": 1, "ok": false, "error": "a sentence"}. Fields may be added, none is renamed or removed within a
version. The socket is open to its owner and group alone. Answers are paged, so that no question holds up a turn.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from tandem.manage.commit_api import CommitApi
from tandem.manage.operating import ASKS as OPERATING
from tandem.port import clock
from tandem.supervisor import Supervisor

VERSION = 1
PAGE = 500
_MOST_CONNECTIONS = 32
_MOST_LINE = 4096
_IDLE_S = 300.0
_ASKS = {
    "status": "everything the front panel knows and more",
    "points": f"present values, {PAGE} a page; match: part of a name; from: where the last page ended",
    "events": f"records numbered above `after` (default: the newest), at most `most` (up to {PAGE})",
    "event": "where the event `number` is: arrived, mirrored, confirmed, delivered, in ms and by which member",
    "switchover": "hand the active role to member `to` (default: peer)",
    "reset_statistics": "count anew from now on, for `device` (default: all of this member)",
    "commit": "how the newest commit stands; do: start (what was put), rollback; both with a uid",
    "commit_put": "the next part of a packed configuration: at, octets",
    "help": "this",
    **{name: about for name, (about, _) in OPERATING.items()},
}


class LocalApi:
    """Serves a gateway's questions on a unix socket; an order is carried out with the next turn."""

    def __init__(self, supervisor: Supervisor, path: Path) -> None:
        self.node = supervisor.node
        self.path = path
        self._commits = CommitApi(supervisor.node.commit)
        self._supervisor = supervisor
        self._turn_soon = supervisor.turn_soon
        self._server: asyncio.Server | None = None
        self._askers: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Bind the socket, in place of one that a dead process left. Raises OSError."""
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._accept, self.path, limit=_MOST_LINE)
        self.path.chmod(0o660)

    async def close(self) -> None:
        """Stop answering."""
        if self._server is not None:
            self._server.close()
        for asker in self._askers:
            asker.cancel()
        await asyncio.gather(*self._askers, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._askers) >= _MOST_CONNECTIONS:
            writer.write(_line(_no(f"{_MOST_CONNECTIONS} connections ask already: close one of them")))
            writer.close()
            return
        asker = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._askers.add(asker)
        asker.add_done_callback(self._askers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await asyncio.wait_for(reader.readline(), _IDLE_S):
                writer.write(_line(self.answer(line)))
                await asyncio.wait_for(writer.drain(), _IDLE_S)
        except ValueError:
            writer.write(_line(_no(f"a question has at most {_MOST_LINE} octets")))
        except (ConnectionError, TimeoutError):
            pass  # the asker went away, asks nothing or reads nothing
        finally:
            writer.close()

    def answer(self, line: bytes) -> dict[str, object]:
        """The answer to one line, whatever it holds."""
        try:
            asked = json.loads(line)
        except (ValueError, RecursionError):
            return _no("the line is not JSON")
        if not isinstance(asked, dict):
            return _no('a question is an object like {"v": 1, "ask": "status"}')
        if asked.get("v") != VERSION:
            return _no(f"version {asked.get('v')!r} is not spoken here, version {VERSION} is")
        ask = str(asked.get("ask"))
        if ask not in _ASKS:
            return _no(f"{ask!r} cannot be asked; these can: {', '.join(_ASKS)}")
        try:
            body = self._operate(ask, asked) if ask in OPERATING else getattr(self, f"_{ask}")(asked)
        except (TypeError, ValueError) as error:
            return _no(f"{ask}: {error}")
        return {"v": VERSION, "ok": True, **body}

    def _operate(self, ask: str, asked: dict[str, object]) -> dict[str, object]:
        body = OPERATING[ask][1](self._supervisor, asked)
        self._turn_soon()
        return body

    def _commit(self, asked: dict[str, object]) -> dict[str, object]:
        self._turn_soon()
        return self._commits.order(asked, clock.monotonic_ns())

    def _commit_put(self, asked: dict[str, object]) -> dict[str, object]:
        return self._commits.put(asked)

    def _help(self, asked: dict[str, object]) -> dict[str, object]:
        return {"asks": _ASKS}

    def _status(self, asked: dict[str, object]) -> dict[str, object]:
        return {"status": self.node.status(clock.monotonic_ns())}

    def _points(self, asked: dict[str, object]) -> dict[str, object]:
        match, start = str(asked.get("match", "")), _whole(asked, "from", 0)
        names = [point for point in self.node.table.points if match in point.name]
        page = names[start : start + PAGE]
        end = start + PAGE
        return {"points": [self.node.show_point(p) for p in page], "next": end if end < len(names) else None}

    def _events(self, asked: dict[str, object]) -> dict[str, object]:
        most = min(PAGE, _whole(asked, "most", 50))
        head = self.node.journal.head
        after = _whole(asked, "after", max(0, head - most))
        return {"events": self.node.show_events(after, most), "head": head}

    def _event(self, asked: dict[str, object]) -> dict[str, object]:
        stamp = self.node.clock.stamp
        return {"event": self.node.journeys.event(_whole(asked, "number", 0), lambda ns: stamp(ns)[0])}

    def _switchover(self, asked: dict[str, object]) -> dict[str, object]:
        sentence = self.node.order_switchover(str(asked.get("to", "peer")), clock.monotonic_ns())
        self._turn_soon()
        return {"sentence": sentence}

    def _reset_statistics(self, asked: dict[str, object]) -> dict[str, object]:
        return {"sentence": self.node.reporter.statistics.reset(str(asked.get("device", "")))}


def _whole(asked: dict[str, object], key: str, default: int) -> int:
    value = asked.get(key, default)
    if type(value) is not int or value < 0:
        raise ValueError(f"`{key}` must be a whole number, 0 or more")
    return value


def _line(answer: dict[str, object]) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _no(sentence: str) -> dict[str, object]:
    return {"v": VERSION, "ok": False, "error": sentence}
