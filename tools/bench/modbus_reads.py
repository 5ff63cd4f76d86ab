"""How many reads a second the Modbus TCP master makes: `python -m tools.bench.modbus_reads [--seconds 5] [--json]`.

Four libmodbus servers, a process each; one request outstanding each; 125 registers a read, each register a point.
First nothing changes, then 10 of each 125 registers at every read. All engines and the socket loop share one core.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import selectors
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tandem.clock import Clock
from tandem.config.model import Device, Master, Point
from tandem.database import Database
from tandem.journal import Journal
from tandem.master.base import Channel
from tandem.master.modbus import build
from tandem.point import Kind, Say
from tandem.registry import PointInfo, PointTable, Registry
from tools.bench.machine import machine_factor

SERVERS = 4
REGISTERS = 1000
_SOURCE = Path(__file__).with_name("modbus_reads.c")
_CURE = "on Debian: apt-get install gcc libmodbus-dev"


def compile_server(folder: Path) -> Path:
    """The libmodbus server as a program. Raises RuntimeError with the cure where it cannot be built."""
    if shutil.which("gcc") is None:
        raise RuntimeError(f"gcc is missing, it builds the libmodbus server; {_CURE}")
    program = folder / "modbus_reads"
    built = subprocess.run(
        ["gcc", "-O2", str(_SOURCE), "-o", str(program), "-I/usr/include/modbus", "-lmodbus"],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        raise RuntimeError(f"the libmodbus server could not be built; {_CURE}\n{built.stderr}")
    return program


@contextlib.contextmanager
def servers(program: Path, step: int, changing: int) -> Iterator[list[int]]:
    """Start the servers; gives their ports."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(SERVERS)]
        ports = [int(probe.getsockname()[1]) for probe in probes]
    running = []
    try:
        for port in ports:
            words = [str(program), str(port), str(step), str(changing)]
            running.append(subprocess.Popen(words, stdout=subprocess.PIPE, text=True))
            line = running[-1].stdout
            if line is None or line.readline() != "listening\n":
                raise RuntimeError(f"the libmodbus server does not listen at port {port}")
        yield ports
    finally:
        for server in running:
            server.kill()
            server.wait()


def master(ports: list[int]) -> tuple[list[Channel], Journal]:
    """Four meters of 1000 points each, polled as fast as they answer."""
    registry = Registry()
    devices = []
    for index, port in enumerate(ports):
        points = tuple(Point(f"M{index}.r{n}", Kind.ANALOG, f"holding:{n}") for n in range(REGISTERS))
        devices.append(Device(f"M{index}", 1, "127.0.0.1", port, points=points))
    infos = [PointInfo(registry.id(p.name), p.name, p.kind) for device in devices for p in device.points]
    infos += [PointInfo(registry.id(name), name, Kind.BINARY) for name in _states(devices)]
    table = PointTable(infos, registry.highest)
    journal = Journal()
    config = Master("bench", "modbus-tcp", lan="station", scan={"all": 1}, timeout_ms=2000, devices=tuple(devices))
    return build(config, None, table, Database(table, journal), Clock(synced=True)), journal


def _states(devices: list[Device]) -> list[str]:
    return [f"_sys.device.{device.name}.ok" for device in devices]


def reads_per_second(ports: list[int], seconds: float) -> tuple[float, float]:
    """(reads, records) a second, of all four servers together."""
    channels, journal = master(ports)
    with contextlib.ExitStack() as stack:
        loop = stack.enter_context(selectors.DefaultSelector())
        for channel, port in zip(channels, ports, strict=True):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            loop.register(connection, selectors.EVENT_READ, channel)
            now = time.monotonic_ns()
            channel.start(now, False)
            channel.opened(now)
            connection.send(channel.outgoing())
        _run(loop, channels, 0.5)
        answers, head = _answers(channels), journal.head
        took = _run(loop, channels, seconds)
        for channel in channels:
            said = [event.text for event in channel.events() if isinstance(event, Say) and event.level != "info"]
            if said:
                raise RuntimeError(f"the run is void: {said}")
        return (_answers(channels) - answers) / took, (journal.head - head) / took


def _run(loop: selectors.BaseSelector, channels: list[Channel], seconds: float) -> float:
    """A loop as the product's: octets in, what is due, octets out. Returns the seconds it ran."""
    clock = time.monotonic_ns
    start = now = clock()
    end = start + int(seconds * 1e9)
    places = {id(key.data): key.fileobj for key in loop.get_map().values()}
    while now < end:
        dues = [due for channel in channels if (due := channel.due()) is not None]
        ready = loop.select(max(0.0, min([0.05, *((due - now) / 1e9 for due in dues)])))
        now = clock()
        for key, _ in ready:
            key.data.receive(key.fileobj.recv(4096), now)  # type: ignore[union-attr]
        for channel in channels:
            due = channel.due()
            if due is not None and due <= now:
                channel.tick(now)
            if octets := channel.outgoing():
                places[id(channel)].send(octets)  # type: ignore[union-attr]
    return (clock() - start) / 1e9


def _answers(channels: list[Channel]) -> float:
    return sum(device["answers"] for channel in channels for device in channel.statistics().values())


def measure(seconds: float, runs: int) -> dict[str, float]:
    """Medians and worst of `runs` runs, unchanged and with 10 of 125 registers changing at every read."""
    result: dict[str, float] = {"machine_factor": machine_factor(), "seconds": seconds, "runs": runs}
    with tempfile.TemporaryDirectory() as folder:
        program = compile_server(Path(folder))
        for name, step, changing in (("unchanged", 0, 0), ("changing_10", 1, 10)):
            rates = []
            with servers(program, step, changing) as ports:
                for _ in range(runs):
                    reads, records = reads_per_second(ports, seconds)
                    rates.append(reads)
                    result[f"{name}_records_per_s"] = records
            result[f"{name}_reads_per_s"] = statistics.median(rates)
            result[f"{name}_worst_reads_per_s"] = min(rates)
    return result


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="of one run")
    parser.add_argument("--runs", type=int, default=1, help="the median and the worst of so many are printed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        result = measure(arguments.seconds, arguments.runs)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(result))
        return 0
    for name in ("unchanged", "changing_10"):
        reads, worst = result[f"{name}_reads_per_s"], result[f"{name}_worst_reads_per_s"]
        records = result[f"{name}_records_per_s"]
        print(f"{name:12} {reads:8,.0f} reads/s (worst {worst:,.0f}), {records:,.0f} records/s")
    print(f"machine factor {result['machine_factor']:.3f} s")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
