"""Points, records and times in words, for the local API, tools and logs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tandem.codec.record import Record
from tandem.database import Database
from tandem.point import DEVICE_TIME, Cause, Double, Kind, Quality
from tandem.registry import PointInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLAGS = [(int(flag), (flag.name or "").lower().replace("_", " ")) for flag in Quality if flag]


def time_text(stamp_us: int) -> str:
    """UTC to the millisecond; "-" where there is no stamp."""
    if not stamp_us:
        return "-"
    try:
        return (_EPOCH + timedelta(microseconds=stamp_us)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    except OverflowError:
        return "-"


def quality_text(quality: int) -> str:
    """The flags in words; "good" for none."""
    return ", ".join(word for bit, word in _FLAGS if quality & bit) or "good"


def value_text(point: PointInfo, value: float) -> str:
    """A value as the point's states name it, or as a number with its unit."""
    if point.kind in (Kind.BINARY, Kind.BINARY_OUTPUT):
        return _state(point, int(value), ("0", "1"))
    if point.kind in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT) and value in (Double.OFF, Double.ON):
        return _state(point, int(value) - 1, ("off", "on"))
    if point.kind in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT):
        return Double(int(value)).name.lower() if 0 <= value <= 3 else str(value)
    return f"{value:g} {point.unit}".strip()


def _state(point: PointInfo, index: int, names: tuple[str, str]) -> str:
    states = point.states or names
    return states[index] if 0 <= index < len(states) else str(index)


def show_point(database: Database, point: PointInfo) -> dict[str, object]:
    """One point as the local API gives it."""
    number, stamp_us, value, *_ = database.present[point.id]
    quality = database.served_quality(point.id)
    return {
        "id": point.id,
        "name": point.name,
        "kind": point.kind.word,
        "value": value,
        "text": value_text(point, value),
        "quality": quality_text(quality),
        "time": time_text(stamp_us),
        "number": number,
        "local": point.local,
        "description": point.description,
    }


def show_record(database: Database, record: Record) -> dict[str, object]:
    """One journal record as the local API gives it."""
    number, stamp_us, value, point_id, quality, cause, _ = record
    point = database.table.by_id.get(point_id)
    return {
        "number": number,
        "time": time_text(stamp_us),
        "name": point.name if point else f"point {point_id}",
        "value": value,
        "text": value_text(point, value) if point else f"{value:g}",
        "quality": quality_text(quality),
        "cause": cause_text(cause),
    }


def cause_text(cause: int) -> str:
    """Why a record was written, and whether the device stamped it."""
    try:
        word = Cause(cause & ~DEVICE_TIME).name.lower()
    except ValueError:
        word = str(cause & ~DEVICE_TIME)
    return word + (", device time" if cause & DEVICE_TIME else "")
