"""Monitored values from a device's ASDUs into the database, each event once."""

from __future__ import annotations

from tandem.clock import Clock
from tandem.codec.iec60870.monitor import KINDS, objects
from tandem.master.again import Offered
from tandem.master.iec104.points import Fed
from tandem.master.iec104.station import Station
from tandem.master.saying import Mouth
from tandem.point import DEVICE_TIME, Cause

_SPONTANEOUS = 3
_CAUSES = {
    _SPONTANEOUS: int(Cause.SPONTANEOUS),
    11: int(Cause.RETURN),
    12: int(Cause.RETURN),
}
"""Cause of transmission -> why the record is written; every other cause tells a present value."""
_SCAN = int(Cause.SCAN)


class Values:
    """Everything that the devices behind one connection tell."""

    def __init__(self, clock: Clock, mouth: Mouth, fed: dict[tuple[int, int], Fed]) -> None:
        """`fed` is by (common address, object address)."""
        self._clock = clock
        self._mouth = mouth
        self._fed = fed
        self.offered = Offered()

    def take(self, octets: bytes, station: Station, ca: int, now: int) -> None:
        """The ASDU of a type in `monitor.KINDS`. Raises FrameError where it is broken."""
        arrived_us, time_flag = self._clock.stamp(now)
        number, cot = octets[0], octets[2] & 0x3F
        kinds, fed, offered, counts = KINDS[number], self._fed, self.offered, station.counts
        cause = _CAUSES.get(cot, _SCAN)
        found = objects(octets, arrived_us)
        counts.objects += len(found)
        for ioa, raw, quality, stamp in found:
            entry = fed.get((ca, ioa))
            if entry is None or entry.kind not in kinds:
                self._stranger(station, ca, ioa, number, entry, now)
            elif stamp is None:
                if cot == _SPONTANEOUS and offered.active:
                    counts.untimed += 1
                entry.input.put(raw, quality | time_flag, arrived_us, now, cause)
            elif cause == _SCAN:
                entry.input.put(raw, quality, stamp, now, _SCAN | DEVICE_TIME)
            else:
                point = entry.input
                value = point.value_of(raw)
                if offered.active and offered.takes(point.point_id, stamp, value, quality, point.has_deadband, now):
                    counts.offered_again += 1
                else:
                    point.event(value, quality, stamp, cause | DEVICE_TIME)

    def _stranger(self, station: Station, ca: int, ioa: int, number: int, entry: Fed | None, now: int) -> None:
        station.counts.unknown_objects += 1
        if entry is None:
            text = f"{station.title} sends object {ioa} of common address {ca}, which its list does not name"
        else:
            text = f"{station.title} sends {entry.input.name} as type {number}, which is no {entry.kind.word}"
        self._mouth.say_rarely((station.name, "object"), text, now)
