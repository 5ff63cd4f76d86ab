"""`python -m tools.bench.field --config DIR --dir RUN`: every device of a configuration, with a moving process.

Modbus devices are served here, those of IEC 104 masters by a child (`tools.bench.field.iec104`).

RUN/field.jsonl is the ledger (see `ledger.py`), RUN/field.sock takes JSON lines:

    {"do": "set", "point": NAME, "value": V}      {"do": "silent" | "garbled" | "well", "device": NAME}
    {"do": "rate", "value": EVENTS_A_SECOND}      {"do": "stir"}: every point that may takes its next value now
    {"do": "state"}
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from tandem.config.finding import ConfigError
from tandem.config.load import load
from tandem.config.model import Config
from tools.bench.field.image import DeviceImage
from tools.bench.field.ledger import Ledger
from tools.bench.field.places import remote_places
from tools.bench.field.play import Play
from tools.bench.field.servers import Station, serial_server, tcp_server
from tools.bench.processes import end_with_parent

DEFAULT_RATE = 5.0
DEFAULT_HOLD_MS = 600
_TICK_NS = 5_000_000


class Field:
    """All stations, their process and the control socket."""

    def __init__(self, config: Config, run: Path, rate: float, hold_ms: int) -> None:
        self.config = config
        self.run = run
        self.ledger = Ledger(run / "field.jsonl")
        self._ports: dict[tuple[str, str, int], list[DeviceImage]] = {}
        for master in config.masters:
            for device in master.devices:
                if not device.enabled or not master.protocol.startswith("modbus"):
                    continue
                port = ("serial", master.serial, 0) if master.serial else ("tcp", device.host, device.tcp_port)
                self._ports.setdefault(port, []).append(DeviceImage(device))
        images = [image for group in self._ports.values() for image in group]
        self.play = Play(config, images, self.ledger, rate, hold_ms)
        self.stations: list[Station] = []
        self.remotes = len(remote_places(config))
        self._rate = rate
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def serve(self) -> None:
        """Open every port; returns when they answer. Raises OSError or RuntimeError."""
        for (kind, name, port), images in self._ports.items():
            station = Station(images, self.play, kind == "serial")
            self.stations.append(station)
            if kind == "serial":
                link = self.run / f"{name}-field"
                await serial_server(station, str(link), self.config.serial(name).baud).serve_forever(background=True)
            else:
                await tcp_server(station, name, port).serve_forever(background=True)
        if self.remotes:
            await self._start_child()
        await asyncio.start_unix_server(self._asked, self.run / "field.sock")

    async def _start_child(self) -> None:
        arguments = ["--config", self.config.folder, "--dir", str(self.run), "--rate", str(self._rate)]
        pipe = asyncio.subprocess.PIPE
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tools.bench.field.iec104", *arguments, stdin=pipe, stdout=pipe
        )
        assert self._child.stdout is not None
        if not await self._child.stdout.readline():
            raise RuntimeError("the 104 devices did not start; is c104 installed (pip install c104)?")

    async def _ask_child(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The same question to the 104 devices."""
        assert self._child is not None and self._child.stdin is not None and self._child.stdout is not None
        async with self._turn:
            self._child.stdin.write(json.dumps(asked).encode() + b"\n")
            await self._child.stdin.drain()
            answer: dict[str, Any] = json.loads(await self._child.stdout.readline())
            return answer

    async def play_on(self) -> None:
        """Move the process for ever."""
        while True:
            now = time.monotonic_ns()
            self.play.tick(now)
            await asyncio.sleep(max(_TICK_NS // 5, min(_TICK_NS, self.play.due() - now)) / 1e9)

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            try:
                answer = {"ok": True, **await self._everywhere(json.loads(line))}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _everywhere(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question to whom it concerns. Raises ValueError with what went wrong."""
        if self._child is None:
            return self._do(asked)
        verb, here = asked["do"], {p.name for image in self.play.images for p in image.points}
        if verb == "set" and asked["point"] not in here:
            answer = await self._ask_child(asked)
            if not answer["ok"]:
                raise ValueError(answer["error"])
            return {}
        own = self._do(asked)
        if verb not in ("rate", "stir", "state"):
            return own
        other = await self._ask_child(asked)
        both = {"values": {**own.get("values", {}), **other.get("values", {})}} if verb == "state" else {}
        return {**other, **own, **both}

    def _do(self, asked: dict[str, Any]) -> dict[str, Any]:
        verb = asked["do"]
        if verb == "set":
            for image in self.play.images:
                for p in image.points:
                    if p.name == asked["point"]:
                        self.play.set(image, p, float(asked["value"]))
                        return {}
            raise ValueError(f"no device here has a point {asked['point']!r}")
        if verb == "stir":
            self.play.stir()
            return {}
        if verb == "rate":
            self.play.set_rate(float(asked["value"]))
            return {}
        if verb == "state":
            values = {p.name: p.value for image in self.play.images for p in image.points}
            return {"values": values, "requests": sum(station.requests for station in self.stations)}
        device = asked["device"]
        for station in self.stations:
            if device in {image.name for image in station.images.values()}:
                station.silent.discard(device)
                station.garbled.discard(device)
                if verb != "well":
                    {"silent": station.silent, "garbled": station.garbled}[verb].add(device)
                return {}
        raise ValueError(f"no device {device!r} is here")


async def _main(asked: argparse.Namespace) -> None:
    field = Field(load(asked.config), asked.dir, asked.rate, asked.hold_ms)
    await field.serve()
    devices = len(field.play.images)
    print(f"field ready: {len(field.stations)} ports, {devices} devices, {field.remotes} places of 104", flush=True)
    await field.play_on()


def main() -> int:
    """Serve until a signal; exit code 2 with a sentence where a port cannot be had."""
    parser = argparse.ArgumentParser(prog="field")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--dir", required=True, type=Path, help="run folder of the relay bench")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="events a second over all points, at most")
    parser.add_argument("--hold-ms", type=int, default=DEFAULT_HOLD_MS, help="how long a value stays after it was read")
    asked = parser.parse_args()
    end_with_parent()
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_main(asked))
    except (ConfigError, OSError, RuntimeError) as error:
        print(f"field: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
