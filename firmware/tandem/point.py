"""The vocabulary: kinds, values, quality, time stamps, causes, and the control model.

Every value is a float64 (exact for integers up to 2**53). Every stamp is UTC in microseconds since 1970,
and `Quality.TIME_INVALID` says when it must not be trusted. Durations and deadlines are monotonic nanoseconds.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

MS = 1_000_000
"""Nanoseconds in a millisecond: monotonic times are integer nanoseconds throughout."""
SECOND = 1_000 * MS
CURSORS_MAX = 255
"""Places in the journal that the members tell each other of: of control centers, devices and archives."""


class Kind(enum.IntEnum):
    """What a point is. Inputs below 16, outputs above."""

    BINARY = 1
    DOUBLE = 2
    STEP = 3
    BITSTRING = 4
    ANALOG = 5
    COUNTER = 6
    BINARY_OUTPUT = 17
    DOUBLE_OUTPUT = 18
    ANALOG_OUTPUT = 19
    STEP_OUTPUT = 20

    @property
    def is_output(self) -> bool:
        """True where a control may be addressed to the point."""
        return self >= Kind.BINARY_OUTPUT

    @property
    def is_measured(self) -> bool:
        """True for the kinds whose records go to the `analog` ring; all others go to `soe`."""
        return self in (Kind.ANALOG, Kind.COUNTER)

    @classmethod
    def from_word(cls, word: str) -> Kind:
        """The kind a list's word names ("double-output"). Raises KeyError for any other word."""
        return cls[word.replace("-", "_").upper()]

    @property
    def word(self) -> str:
        """The word a list uses for this kind."""
        return self.name.lower().replace("_", "-")


class Double(enum.IntEnum):
    """States of a double point, numbered as IEC 60870-5-101 7.2.6.2 (DPI) and DNP3 do."""

    INTERMEDIATE = 0
    OFF = 1
    ON = 2
    INDETERMINATE = 3


class Quality(enum.IntFlag):
    """The one closed set of quality flags; GOOD is none of them. 16 bits in a record."""

    GOOD = 0
    INVALID = 0x0001
    NOT_TOPICAL = 0x0002  # communication with the source is lost, the value is the last one known
    NEVER_READ = 0x0004
    SUBSTITUTED_LOCAL = 0x0008
    SUBSTITUTED_REMOTE = 0x0010
    BLOCKED = 0x0020
    OVER_RANGE = 0x0040
    CHATTER = 0x0080
    TEST = 0x0100
    TIME_INVALID = 0x0200  # of the stamp, not of the value


UNUSABLE = int(Quality.INVALID | Quality.NOT_TOPICAL | Quality.NEVER_READ)
"""An operand (of an interlock, say) with one of these is not good."""


class Cause(enum.IntEnum):
    """Why a record was written. 8 bits in a record; `DEVICE_TIME` may be or-ed in."""

    SPONTANEOUS = 1
    SCAN = 2  # found by a poll or an interrogation
    INITIAL = 3  # the first value after never read
    RETURN = 4  # return information of a command
    COMMUNICATION = 5  # a device or link was lost or came back
    SYSTEM = 6  # the gateway's own points
    SUBSTITUTION = 7
    SALVAGED = 8  # offered by a member that released it while alone


DEVICE_TIME = 0x80
"""Flag beside a Cause: the stamp was made by the device, not on arrival."""


# --- controls ------------------------------------------------------------------------------------------------


class Step(enum.IntEnum):
    """What an origin asks of a point."""

    SELECT = 1
    EXECUTE = 2  # after a select
    DIRECT = 3  # execute without one
    CANCEL = 4


class Outcome(enum.IntEnum):
    """How a control ended: exactly one for each, told to its origin."""

    DONE = 0
    REFUSED = 1  # a rule said no (interlock, not selected, locked, no permission); nothing was sent
    FAILED = 2  # the device said no, or the feedback did not come
    NOT_SENT = 3  # it ended before the first octet left; the device does not have it
    UNKNOWN = 4  # it was sent and no answer came: the operator must look


class Stage(enum.IntEnum):
    """The two answers an origin may get: the confirmation, then (after a positive one) the end."""

    CONFIRM = 1
    END = 2


@dataclass(slots=True, frozen=True)
class Command:
    """One control as it travels from a slave through `control` to a master.

    `value` is in engineering units (binary 0/1, double `Double.OFF`/`Double.ON`, step -1/+1, else a number).
    `pulse_ms` of 0 leaves it to the point's own setting. `ref` is unique on the member where it entered and
    comes back in every Report. `center` names who asked: a select binds to it.
    """

    ref: int
    point_id: int
    value: float
    step: Step
    center: str
    received_ns: int
    pulse_ms: int = 0
    select_timeout_ms: int = 10_000


@dataclass(slots=True, frozen=True)
class Report:
    """An answer to a Command: `sentence` says what happened and, where it failed, what cures it."""

    ref: int
    stage: Stage
    outcome: Outcome
    sentence: str = ""


@dataclass(slots=True)
class Say:
    """One sentence for the log; `level` is a logging level name: "info", "warning" or "error"."""

    text: str
    level: str = "info"
    fields: dict[str, object] = field(default_factory=dict)
