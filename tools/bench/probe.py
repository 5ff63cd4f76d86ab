"""`python -m tools.bench.probe --config DIR --dir RUN`: our own IEC 104 control center, the bench's stop-watch.

It binds its own source address, dials the group address again every 5 ms while it has no answer, starts data transfer,
and at once reads one point: the first I frame behind the STARTDT con is its "first answer". It never interrogates.

RUN/probe.jsonl, one object a line, `t` in monotonic ns:

    {"t", "what": "lost" | "connected" | "started" | "answered"}
    {"t", "what": "event", "ioa", "point", "value", "cause", "time_us", "quality", "asdu"}  every monitored object
    {"t", "what": "command", "ioa", "cause", "negative", "select"}                      every answer to a command

RUN/probe.sock takes JSON lines: {"do": "state"}, {"do": "command", "ioa", "value", "select": true} (answered when the
confirmation came: {"ok", "cause", "negative"}), {"do": "interrogate"}, {"do": "watch", "on": true}: on a network where
nobody resets a dead member's connection the probe looks for itself, see WATCH.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import socket
import sys
import time
from pathlib import Path
from typing import IO, Any

from tandem.codec.iec60870.asdu import Asdu
from tandem.codec.iec60870.types import BY_NAME
from tandem.config.load import load
from tandem.port.realtime import be_realtime
from tools.bench.conversation import Conversation
from tools.bench.processes import end_with_parent
from tools.bench.relaybench.gate import reset
from tools.bench.served import Served, probe_source, served

RETRY_S = 0.005
ANSWER_S = 1.0
WATCH_S, PATIENCE_S = 0.01, 0.03
WATCH = "dials every 5 ms; while watched sends TESTFR every 10 ms and dials anew after 30 ms without an octet"
_ACK_S = 0.05
_COMMAND_S = 12.0
_PRIORITY = 5  # below the members: they never wait for who watches them


class Probe:
    """One control center; `run` for ever."""

    def __init__(self, target: Served, source: str, ledger: IO[str]) -> None:
        self.target = target
        self.source = source
        self.loop = asyncio.get_running_loop()
        self.conversation: Conversation | None = None
        self.answered = False
        self.events = self.asdus = 0
        self.values: dict[int, tuple[float, int | None]] = {}
        self._watcher: asyncio.TimerHandle | None = None
        self._heard_at = 0.0  # monotonic seconds of the connection's last octets, or of its beginning
        self._ledger = ledger
        self._sock: socket.socket | None = None
        self._waiting: dict[tuple[int, int], asyncio.Future[Asdu]] = {}

    def note(self, what: str, **fields: Any) -> None:
        """One line of the ledger."""
        self._ledger.write(json.dumps({"t": time.monotonic_ns(), "what": what, **fields}) + "\n")

    async def run(self) -> None:
        """Connect, listen until it ends, again."""
        self._acknowledge()
        while True:
            began = time.monotonic()
            sock = await self._connect()
            if sock is not None:
                await self._talk(sock)
            await asyncio.sleep(max(0.0, began + RETRY_S - time.monotonic()))

    async def _connect(self) -> socket.socket | None:
        sock = socket.socket()
        sock.setblocking(False)
        try:
            sock.bind((self.source, 0))
            await asyncio.wait_for(self.loop.sock_connect(sock, (self.target.host, self.target.port)), RETRY_S)
        except (OSError, TimeoutError):
            reset(sock)
            return None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    async def _talk(self, sock: socket.socket) -> None:
        talk = self.conversation = Conversation(self.target.common_address)
        self._sock, self.answered, self._heard_at = sock, False, time.monotonic()
        try:
            self.flush()
            while not talk.fault:
                read = self.loop.sock_recv(sock, 65536)
                octets = await (read if self.answered else asyncio.wait_for(read, ANSWER_S))
                if not octets:
                    break
                self._heard_at = time.monotonic()
                for came in talk.receive(octets):
                    self._heard(came)
                self.flush()
        except (OSError, TimeoutError):
            pass
        finally:
            if talk.fault:
                self.note("fault", text=talk.fault)
            if talk.started:
                self.note("lost")
            self.conversation = self._sock = None
            for waiting in self._waiting.values():
                waiting.cancel()
            reset(sock)

    def _watch(self, on: bool) -> None:
        """From now on with little patience, or again with much."""
        if self._watcher is not None:
            self._watcher.cancel()
            self._watcher = None
        if on:
            self._heard_at = time.monotonic()
            self._look()

    def _look(self) -> None:
        """While watched: a test frame, or the end of a connection that has been mute for too long."""
        self._watcher = self.loop.call_later(WATCH_S, self._look)
        if self._sock is None or self.conversation is None:
            return
        try:
            if time.monotonic() - self._heard_at > PATIENCE_S:
                self._sock.shutdown(socket.SHUT_RDWR)
            elif self.answered:
                self.conversation.test()
                self.flush()
        except OSError:
            pass  # the reader meets the same and says so

    def _acknowledge(self) -> None:
        self.loop.call_later(_ACK_S, self._acknowledge)
        if self.conversation is not None:
            self.conversation.acknowledge()
            try:
                self.flush()
            except OSError:
                pass  # the reader meets the same and says so

    def flush(self) -> None:
        """Send what the conversation has; small enough for any socket buffer."""
        if self.conversation is not None and self._sock is not None and (out := self.conversation.outgoing()):
            self._sock.send(out)

    def _heard(self, came: Asdu | str) -> None:
        if isinstance(came, str):
            self.note("started")
            assert self.conversation is not None
            self.conversation.ask("C_RD_NA_1", min(self.target.inputs, default=1), cause=5)
            return
        if not self.answered:
            self.answered = True
            self.note("answered", type=came.name, cause=came.cause)
        if came.type < 45:
            self._monitored(came)
        elif came.objects:
            ioa, values = came.objects[0]
            select = bool(values.get("select"))
            self.note("command", ioa=ioa, cause=came.cause, negative=came.negative, select=select)
            waiting = self._waiting.get((came.type, ioa))
            if waiting is not None and not waiting.done() and came.cause != 10:
                waiting.set_result(came)

    def _monitored(self, came: Asdu) -> None:
        self.asdus += 1
        for ioa, values in came.objects or ():
            self.events += came.cause == 3
            wire, stamp = float(values.get("value", 0)), values.get("time_us")
            value = self.target.value(ioa, wire)
            self.values[ioa] = (value, stamp)
            self.note("event", ioa=ioa, point=self.target.name(ioa), value=value, cause=came.cause, time_us=stamp,
                      quality=values.get("quality", 0), asdu=self.asdus)  # fmt: skip

    async def command(self, ioa: int, value: float, select: bool) -> dict[str, Any]:
        """Select if wanted, execute, and the confirmation that came. Raises ValueError with what went wrong."""
        row = self.target.outputs.get(ioa)
        if row is None:
            raise ValueError(f"{ioa} is no command here; these are: {sorted(self.target.outputs)}")
        wire = value * row.scale + row.offset
        wire = round(wire) if "_SE_N" not in row.type or row.type == "C_SE_NB_1" else wire
        answer: Asdu | None = None
        for step in (True, False) if select else (False,):
            answer = await self._activate(row.type, ioa, {"value": wire, "select": step, "qualifier": 0})
            if answer.negative or answer.cause != 7:
                break
        assert answer is not None
        return {"cause": answer.cause, "negative": answer.negative, "ioa": ioa, "value": value}

    async def _activate(self, kind: str, ioa: int, values: dict[str, Any]) -> Asdu:
        if self.conversation is None or not self.conversation.started:
            raise ValueError("there is no started connection")
        key = (BY_NAME[kind].number, ioa)
        waiting = self._waiting[key] = self.loop.create_future()
        try:
            self.conversation.ask(kind, ioa, values)
            self.flush()
            return await asyncio.wait_for(waiting, _COMMAND_S)
        except TimeoutError:
            raise ValueError("no confirmation came") from None
        except asyncio.CancelledError:
            raise ValueError("the connection ended before the confirmation") from None
        finally:
            self._waiting.pop(key, None)

    # --- what the bench asks ----------------------------------------------------------------------------------

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client of RUN/probe.sock."""
        while line := await reader.readline():
            try:
                answer = {"ok": True, **await self._do(json.loads(line))}
            except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
                answer = {"ok": False, "error": str(error)}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _do(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["do"] == "state":
            up = self.conversation is not None and self.conversation.started
            values = {self.target.name(ioa): list(v) for ioa, v in self.values.items()}
            return {"started": up, "answered": up and self.answered, "events": self.events, "values": values}
        if asked["do"] == "watch":
            self._watch(bool(asked["on"]))
            return {}
        if asked["do"] == "interrogate" and self.conversation is not None:
            self.conversation.ask("C_IC_NA_1", 0, {"qualifier": 20})
            self.flush()
            return {}
        if asked["do"] == "command":
            return await self.command(int(asked["ioa"]), float(asked["value"]), bool(asked.get("select")))
        raise ValueError(f"{asked['do']!r} cannot be done now; these can: state, command, interrogate, watch")


async def _main(asked: argparse.Namespace) -> None:
    config = load(asked.config)
    with (asked.dir / "probe.jsonl").open("w", encoding="utf-8", buffering=1) as ledger:
        target = served(config)
        target = dataclasses.replace(target, host=asked.host or target.host)
        probe = Probe(target, asked.source or probe_source(config), ledger)
        await asyncio.start_unix_server(probe.serve, asked.dir / "probe.sock")
        print(f"probe ready: {probe.source} calls {probe.target.host}:{probe.target.port}", flush=True)
        await probe.run()


def main() -> int:
    """Run until a signal; exit code 2 with a sentence where the configuration gives nothing to call."""
    parser = argparse.ArgumentParser(prog="probe")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--dir", required=True, type=Path, help="run folder")
    parser.add_argument("--source", default="", help="own address; default: the configured center's")
    parser.add_argument("--host", default="", help="who is called; default: the configured slave's group address")
    asked = parser.parse_args()
    end_with_parent()
    be_realtime(
        _PRIORITY
    )  # a control center has a computer of its own; where that is not permitted it waits for this one
    try:
        asyncio.run(_main(asked))
    except (OSError, ValueError) as error:
        print(f"probe: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
