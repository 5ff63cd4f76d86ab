"""c104's client as a process: `iec104_peer.py PORT WAY`; JSON questions on stdin, one JSON answer a line on stdout.

WAY is "timed" or "still": c104 drops what has another type than the point it knows, so one client hears events with
their times and another one hears what interrogation and read tell.

["connect"] ["disconnect"] ["interrogation", ca] ["counters", ca, FRZ] ["clock", ca] ["test", ca] ["read", ioa]
["command", ioa, value, "direct" | "select"]   ["heard"]: [[ioa, type, value, quality, cause, recorded ms], ...]
"""

# c104 compares a callback's annotations with its own types: they must not be strings, so no postponed evaluation here.
import json
import sys
import threading
import time
from typing import Any

import c104

MONITOR = {
    1001: c104.Type.M_DP_TB_1,
    1002: c104.Type.M_SP_TB_1,
    1003: c104.Type.M_SP_TB_1,
    2001: c104.Type.M_ME_TF_1,
    2002: c104.Type.M_ME_TE_1,
    2003: c104.Type.M_ME_TD_1,
    3001: c104.Type.M_IT_TB_1,
    9001: c104.Type.M_SP_TB_1,
    1101: c104.Type.M_SP_TB_1,  # these of the example group: c104 reads an ASDU up to the first object it does not know
    2101: c104.Type.M_ME_TF_1,
    9002: c104.Type.M_SP_TB_1,
}
STILL = {
    "M_SP_TB_1": c104.Type.M_SP_NA_1,
    "M_DP_TB_1": c104.Type.M_DP_NA_1,
    "M_ME_TD_1": c104.Type.M_ME_NA_1,
    "M_ME_TE_1": c104.Type.M_ME_NB_1,
    "M_ME_TF_1": c104.Type.M_ME_NC_1,
    "M_IT_TB_1": c104.Type.M_IT_NA_1,
}
CONTROL = {5001: c104.Type.C_DC_NA_1, 5002: c104.Type.C_SE_NB_1, 5003: c104.Type.C_SC_TA_1}
OPEN = (c104.ConnectionState.OPEN, c104.ConnectionState.OPEN_MUTED)


class Peer:
    """One client with one connection to 127.0.0.1."""

    def __init__(self, port: int, still: bool) -> None:
        self._heard: list[list[Any]] = []
        self._lock = threading.Lock()
        self.client = c104.Client(tick_rate_ms=50, command_timeout_ms=3000)
        connection = self.client.add_connection("127.0.0.1", port, init=c104.Init.NONE)
        assert connection is not None
        self.connection = connection
        station = connection.add_station(47)
        assert station is not None
        self.points: dict[int, c104.Point] = {}
        for ioa, kind in (MONITOR | CONTROL).items():
            kind = STILL.get(kind.name, kind) if still else kind
            point = station.add_point(ioa, kind)
            assert point is not None
            self.points[ioa] = point
            if ioa in MONITOR:
                point.on_receive(self._received)

    def _received(
        self, point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
    ) -> c104.ResponseState:
        value: Any = point.value
        if not isinstance(value, bool | float):
            value = value.value if isinstance(value, c104.Double) else float(value)
        recorded = point.recorded_at
        stamp = None if recorded is None else round(recorded.timestamp() * 1000)
        quality = point.quality
        good = quality.is_good() if isinstance(quality, c104.Quality) else True
        with self._lock:
            self._heard.append([point.io_address, message.type.name, value, good, message.cot.name, stamp])
        return c104.ResponseState.SUCCESS

    def answer(self, question: list[Any]) -> Any:
        """Do what is asked."""
        what, *rest = question
        self._unmute()
        if what == "connect":
            return self._connect()
        if what == "heard":
            with self._lock:
                heard, self._heard = self._heard, []
            return heard
        if what == "disconnect":
            self.connection.disconnect()
            return True
        if what == "interrogation":
            return self._retried(lambda: self.connection.interrogation(rest[0]))
        if what == "counters":
            return self._retried(lambda: self._counters(*rest))
        if what == "clock":
            return self._retried(lambda: self.connection.clock_sync(rest[0]))
        if what == "test":
            return self._retried(lambda: self.connection.test(rest[0], with_time=True))
        if what == "read":
            return self.points[rest[0]].read()
        return self._command(*rest)

    def _counters(self, ca: int, freeze: str = "READ") -> bool:
        return bool(self.connection.counter_interrogation(ca, freeze=getattr(c104.Frz, freeze)))

    def _connect(self) -> bool:
        self.client.start() if not self.client.is_running else self.connection.connect()
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self.connection.state == c104.ConnectionState.OPEN:
                return True
            self._unmute()
            time.sleep(0.02)
        return False

    def _unmute(self) -> None:
        """After a connection it may leave STARTDT out."""
        if self.connection.is_connected and self.connection.is_muted:
            self.connection.unmute()

    def _retried(self, ask: Any) -> bool:
        """Once more where it heard no answer: now and then c104 misses one that comes very fast."""
        return any(ask() for _ in range(2))

    def _command(self, ioa: int, value: Any, mode: str) -> bool:
        point = self.points[ioa]
        point.command_mode = c104.CommandMode.SELECT_AND_EXECUTE if mode == "select" else c104.CommandMode.DIRECT
        if ioa == 5001:
            point.value = c104.Double.ON if value else c104.Double.OFF
        else:
            point.value = c104.Int16(value) if ioa == 5002 else bool(value)
        return bool(point.transmit(cause=c104.Cot.ACTIVATION))


def main() -> None:
    """Answer until stdin ends."""
    peer = Peer(int(sys.argv[1]), sys.argv[2] == "still")
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(peer.answer(json.loads(line))), flush=True)
    peer.client.stop()


if __name__ == "__main__":
    main()
