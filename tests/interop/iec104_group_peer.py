"""c104's client with several connections to one gateway: `iec104_group_peer.py PORT...`; JSON lines as `iec104_peer`.

["start", index]: data transfer on that connection   ["states"]: by connection   ["heard"]: [[index, ioa, value], ...]
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
    2001: c104.Type.M_ME_TF_1,
    2002: c104.Type.M_ME_TE_1,
    3001: c104.Type.M_IT_TB_1,
    1101: c104.Type.M_SP_TB_1,
    2101: c104.Type.M_ME_TF_1,
    9001: c104.Type.M_SP_TB_1,
    9002: c104.Type.M_SP_TB_1,
}


class Line:
    """One connection, in a client of its own so that its points are its own; muted until it is started."""

    def __init__(self, index: int, port: int, heard: list[list[Any]], lock: threading.Lock) -> None:
        self.index, self._heard, self._lock = index, heard, lock
        self.client = c104.Client(tick_rate_ms=50, command_timeout_ms=3000)
        connection = self.client.add_connection("127.0.0.1", port, init=c104.Init.MUTED)
        assert connection is not None
        self.connection = connection
        station = connection.add_station(47)
        assert station is not None
        self.points = []
        for ioa, kind in MONITOR.items():
            point = station.add_point(ioa, kind)
            assert point is not None
            point.on_receive(self._received)
            self.points.append(point)
        self.client.start()

    def _received(
        self, point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
    ) -> c104.ResponseState:
        with self._lock:
            self._heard.append([self.index, point.io_address, str(point.value)])
        return c104.ResponseState.SUCCESS

    def begin(self) -> bool:
        """STARTDT, once it is connected."""
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self.connection.state == c104.ConnectionState.OPEN:
                return True
            if self.connection.is_connected and self.connection.is_muted:
                self.connection.unmute()
            time.sleep(0.05)
        return False


def main() -> None:
    """Answer until stdin ends."""
    heard: list[list[Any]] = []
    lock = threading.Lock()
    lines = [Line(index, int(port), heard, lock) for index, port in enumerate(sys.argv[1:])]
    print(json.dumps("ready"), flush=True)
    for asked in sys.stdin:
        what, *rest = json.loads(asked)
        answer: Any = None
        if what == "start":
            answer = lines[rest[0]].begin()
        elif what == "states":
            answer = [line.connection.state.name for line in lines]
        elif what == "heard":
            with lock:
                answer = list(heard)
                heard.clear()
        print(json.dumps(answer), flush=True)
    for line in lines:
        line.client.stop()


if __name__ == "__main__":
    main()
