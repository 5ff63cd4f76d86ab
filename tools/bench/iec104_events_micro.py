"""What the 104 slave takes a second: database's door -> pump -> octets -> acknowledgements, in one process.

`python -m tools.bench.iec104_events_micro [--json] [--events N] [--runs N] [--k N] [--w N] [--turn N]`
The client is simulated: it acknowledges every w APDUs, as one that keeps up does. A turn brings `--turn` events.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import statistics
import time

from tandem.clock import Clock
from tandem.codec.iec60870 import apci, asdu
from tandem.config.model import Center, Row, Slave
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable
from tandem.slave.iec104 import Session, Station
from tools.bench.machine import machine_factor

_POINTS = 400
_TYPES = (
    (Kind.BINARY, "M_SP_TB_1"),
    (Kind.DOUBLE, "M_DP_TB_1"),
    (Kind.ANALOG, "M_ME_TE_1"),
    (Kind.ANALOG, "M_ME_TF_1"),
)
_STARTDT = bytes.fromhex("680407000000")


def _station(types: int, k: int, w: int) -> tuple[Database, Station]:
    kinds = [_TYPES[i % types] for i in range(_POINTS)]
    points = [PointInfo(i, f"point{i}", kind) for i, (kind, _) in enumerate(kinds, 1)]
    rows = tuple(Row(f"point{i}", name, str(1000 + i)) for i, (_, name) in enumerate(kinds, 1))
    table = PointTable(points, _POINTS)
    database = Database(table, Journal())
    centers = (Center("north", ("127.0.0.1/32",)),)
    slave = Slave(
        "scada",
        "iec104",
        common_address=47,
        rows=rows,
        centers=centers,
        serve_after="at-once",
        options={"k": k, "w": w},
    )
    refs = itertools.count(1)
    return database, Station(slave, table, database, Clock(1_767_323_045_000_000, True), lambda: next(refs))


def _client(session: Session, w: int, octets: bytes, state: list[int]) -> int:
    """Read frames, acknowledge every w of them; how many frames there were. `state`: [received, acknowledged]."""
    at, frames = 0, 0
    while at < len(octets):
        if not octets[at + 2] & 1:
            state[0] += 1
            frames += 1
            if state[0] - state[1] >= w:
                state[1] = state[0]
                session.receive(apci.s_frame(state[0] & apci.MASK), 0)
        at += octets[at + 1] + 2
    return frames


def measure(events: int, types: int, k: int, w: int, turn: int) -> dict[str, float]:
    """Events a second of the gateway's part alone (the client's reading is taken off), and of both."""
    database, station = _station(types, k, w)
    session = station.accept("127.0.0.1", True, 0)
    assert isinstance(session, Session), session
    session.opened(0)
    session.receive(_STARTDT, 0)
    session.outgoing()
    state, frames, done, sent = [0, 0], 0, 0, 0
    client_s = 0.0
    update, journal = database.update, database.journal
    begin = time.perf_counter()
    while sent < events:
        if done < events and done - sent < 32 * turn:
            stamp = 1_767_323_045_000_000 + done
            for i in range(done, done + turn):
                update(1 + i % _POINTS, 1.0 + (i // _POINTS & 1), 0, stamp, 1)
            done += turn
        station.pump(journal.head, 0)
        octets = session.outgoing()
        middle = time.perf_counter()
        frames += _client(session, w, octets, state)
        client_s += time.perf_counter() - middle
        if done >= events and not octets:
            session.receive(apci.s_frame(state[0] & apci.MASK), 0)
            state[1] = state[0]
        sent = int(station.statistics()["north"]["sent"])
    total_s = time.perf_counter() - begin
    return {
        "events_per_s": round(sent / total_s),
        "us_per_event": round(total_s / sent * 1e6, 2),
        "us_per_event_without_client": round((total_s - client_s) / sent * 1e6, 2),
        "objects_per_asdu": round(sent / frames, 1),
    }


def _verify(types: int, k: int, w: int) -> None:
    """What comes out is what went in, in order: else the figures would mean nothing."""
    database, station = _station(types, k, w)
    session = station.accept("127.0.0.1", True, 0)
    assert isinstance(session, Session), session
    session.opened(0)
    session.receive(_STARTDT, 0)
    session.outgoing()
    for i in range(4000):
        database.update(1 + i % _POINTS, 1.0 + (i // _POINTS & 1), 0, 1_767_323_045_000_000 + i * 1000, 1)
    splitter, state = apci.Splitter(), [0, 0]
    found: dict[int, list[float]] = {}
    frames = [b""]
    while frames:
        station.pump(database.journal.head, 0)
        octets = session.outgoing()
        frames = splitter.feed(octets)
        for frame in frames:
            for ioa, values in asdu.decode(frame[6:]).objects or () if not frame[2] & 1 else ():
                found.setdefault(ioa, []).append(values["time_us"])
        _client(session, w, octets, state)
        session.receive(apci.s_frame(state[0] & apci.MASK), 0)
    if sum(map(len, found.values())) != 4000 or any(times != sorted(times) for times in found.values()):
        raise AssertionError("events are missing or out of order: the figure would mean nothing")


def main() -> None:
    """Print the median of some runs and the worst; with --json as one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--k", type=int, default=12)
    parser.add_argument("--w", type=int, default=8)
    parser.add_argument("--turn", type=int, default=200, help="events a turn")
    options = parser.parse_args()
    gc.freeze()  # as the gateway does after its start
    figures: dict[str, float] = {}
    for types in (4, 1):
        _verify(types, options.k, options.w)
        runs = [measure(options.events, types, options.k, options.w, options.turn) for _ in range(options.runs)]
        for key in runs[0]:
            figures[f"{types}_types_{key}"] = round(statistics.median(run[key] for run in runs), 2)
        figures[f"{types}_types_worst_events_per_s"] = min(run["events_per_s"] for run in runs)
    figures["machine_factor"] = round(machine_factor(), 4)
    if options.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:>40} {value:,}")


if __name__ == "__main__":
    main()
