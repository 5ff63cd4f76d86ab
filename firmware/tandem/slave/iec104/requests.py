"""What a control center may ask of the station, in one table, and the answer to everything else.

Checked in this order: type (44), cause (45), common address (46), object address (47); then the request itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tandem.codec.iec60870 import FrameError, asdu
from tandem.codec.iec60870.asdu import IEC104, Asdu, mirror
from tandem.codec.iec60870.time import encode_cp56
from tandem.codec.iec60870.types import COMMANDS
from tandem.point import Say
from tandem.slave.base import ClockMessage
from tandem.slave.iec104.center import Counts
from tandem.slave.iec104.commands import ACT, ACT_CON, DEACT, DEACT_CON, Commands, Refused
from tandem.slave.iec104.jobs import TERMINATION, Job
from tandem.slave.iec104.rows import STATION
from tandem.slave.iec104.setting import Setting
from tandem.slave.iec104.writes import Writes

UNKNOWN_TYPE, UNKNOWN_CAUSE, UNKNOWN_CA, UNKNOWN_IOA = 44, 45, 46, 47
REQUEST, GENERAL_COUNTERS = 5, 37
TEST_PATTERN = 0x55AA
MOST_JOBS = 64
"""Interrogations and reads under way on one connection; one more is answered negatively."""


class Rule(NamedTuple):
    """Of a type: the causes it may have, whether it may go to all stations, and who answers it."""

    causes: tuple[int, ...]
    to_all: bool
    answer: Callable[[Requests, bytes, Asdu, int], list[bytes]]


class Requests:
    """Answers the requests of one connection. Long answers become `jobs`, what the owner must know goes to `tell`."""

    def __init__(
        self, setting: Setting, commands: Commands, writes: Writes, counts: Counts,
        tell: Callable[[Say | ClockMessage], None],
    ) -> None:  # fmt: skip
        self.jobs: list[Job] = []
        self.written: list[bytes] = []
        """Confirmations of what the center wrote; they wait until the other member has it."""
        self._setting = setting
        self._commands = commands
        self._writes = writes
        self._counts = counts
        self._tell = tell

    def take(self, octets: bytes, now: int) -> list[bytes]:
        """The answers that can be given at once. Raises FrameError for an ASDU that cannot be read."""
        rule = RULES.get(octets[0]) if octets else None
        if rule is None:
            if len(octets) < IEC104.header:
                raise FrameError(f"an ASDU of {len(octets)} octets is shorter than its header of {IEC104.header}")
            return self._no(octets, UNKNOWN_TYPE)
        read = asdu.decode(octets)
        if read.cause not in rule.causes:
            return self._no(octets, UNKNOWN_CAUSE)
        addresses = self._setting.rows.addresses
        if read.ca == IEC104.global_address and rule.to_all:
            parts = [octets[:4] + ca.to_bytes(2, "little") + octets[6:] for ca in addresses]
        elif read.ca in addresses:
            parts = [octets]
        else:
            return self._no(octets, UNKNOWN_CA)
        return [answer for part in parts for answer in self._one(rule, part, read, now)]

    def _one(self, rule: Rule, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        try:
            return rule.answer(self, octets, read, now)
        except Refused as refusal:
            self._counts.refused += 1
            self._tell(Say(str(refusal), "warning"))
            return [mirror(octets, DEACT_CON if read.cause == DEACT else ACT_CON, negative=True)]

    def _no(self, octets: bytes, cause: int) -> list[bytes]:
        self._counts.refused += 1
        return [mirror(octets, cause, negative=True)]

    def _system(self, read: Asdu) -> bool:
        """True where the only object has the address 0, as a request to the station must."""
        return read.objects is not None and len(read.objects) == 1 and read.objects[0][0] == 0

    def _value(self, read: Asdu, name: str) -> int:
        assert read.objects is not None, "the type is known"
        return int(read.objects[0][1][name])

    # --- one method a type ---------------------------------------------------------------------------------------

    def interrogation(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_IC_NA_1: the whole station or one of its groups."""
        if not self._system(read):
            return self._no(octets, UNKNOWN_IOA)
        ca = int.from_bytes(octets[4:6], "little")
        qualifier = self._value(read, "qualifier")
        if read.cause == DEACT:
            return self._stop(octets, ca)
        if not STATION <= qualifier <= STATION + 16:
            raise Refused(f"an interrogation with qualifier {qualifier}; 20 is the station, 21 to 36 are its groups")
        group = qualifier - STATION
        blocks = self._setting.rows.interrogation(ca, group)
        return self._start(Job(octets, qualifier, blocks, terminate=True, written=self._writes.written(ca, group)))

    def counters(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_CI_NA_1: counters are read, frozen or set back, for this center alone."""
        if not self._system(read):
            return self._no(octets, UNKNOWN_IOA)
        ca = int.from_bytes(octets[4:6], "little")
        request, freeze = self._value(read, "request"), self._value(read, "freeze")
        if read.cause == DEACT:
            return self._stop(octets, ca)
        if not 1 <= request <= 5:
            raise Refused(f"a counter request with RQT = {request}; 5 is general, 1 to 4 are groups")
        group = request % 5
        if freeze:
            self._writes.freeze(ca, group, freeze, read.test)
            return self._wrote(mirror(octets, ACT_CON), mirror(octets, TERMINATION))
        blocks = self._setting.rows.counters(ca, group)
        return self._start(Job(octets, GENERAL_COUNTERS + group, blocks, terminate=True))

    def parameter(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """P_ME_NA_1 to P_ME_NC_1: a threshold or a limit of a measured value."""
        return self._wrote(mirror(octets, ACT_CON)) if self._writes.load(read) else self._no(octets, UNKNOWN_IOA)

    def activation(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """P_AC_NA_1: parameters that were written are in force, or the list's deadband again."""
        if not self._writes.use(read, read.cause == ACT):
            return self._no(octets, UNKNOWN_IOA)
        return self._wrote(mirror(octets, ACT_CON if read.cause == ACT else DEACT_CON))

    def read(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_RD_NA_1: one object's present value."""
        row = None
        if read.objects is not None and len(read.objects) == 1:
            row = self._setting.rows.monitor_at.get((read.ca, read.objects[0][0]))
        if row is None:
            return self._no(octets, UNKNOWN_IOA)
        if len(self.jobs) >= MOST_JOBS:
            raise Refused(f"{MOST_JOBS} requests are under way; ask again later")
        self.jobs.append(Job(octets, REQUEST, [(row.still, row.ca, [row])], terminate=False))
        return []

    def clock(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_CS_NA_1: confirmed with our time before the synchronisation."""
        if not self._system(read):
            return self._no(octets, UNKNOWN_IOA)
        assert read.objects is not None, "the type is known"
        setting, values = self._setting, read.objects[0][1]
        if setting.slave.clock_sync == "refuse":
            raise Refused(f'a clock message came; slave {setting.slave.name} refuses them (clock_sync = "refuse")')
        if values["time_us"] is None or values["time_invalid"]:
            raise Refused("a clock message came whose time is marked invalid or names no date")
        utc_us, untrue = setting.clock.stamp(now)
        if setting.slave.clock_sync == "accept":
            self._tell(ClockMessage(setting.slave.name, values["time_us"], now))
        before = encode_cp56(utc_us, bool(untrue))
        start = IEC104.header + IEC104.ioa
        return [mirror(octets[:start] + before, ACT_CON)]

    def test(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_TS_NA_1 and C_TS_TA_1: what came goes back."""
        if not self._system(read):
            return self._no(octets, UNKNOWN_IOA)
        if octets[0] == 104 and self._value(read, "pattern") != TEST_PATTERN:
            raise Refused(f"a test command with pattern {self._value(read, 'pattern'):#06x} instead of 0x55aa")
        return [mirror(octets, ACT_CON)]

    def reset(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_RP_NA_1: a control center does not restart the gateway."""
        if not self._system(read):
            return self._no(octets, UNKNOWN_IOA)
        raise Refused("a reset process command came; a control center may not restart this gateway")

    def command(self, octets: bytes, read: Asdu, now: int) -> list[bytes]:
        """C_SC_NA_1 to C_BO_NA_1 and their forms with time tag."""
        assert read.objects is not None, "the type is known"
        row = self._setting.rows.controls.get((read.ca, read.objects[0][0]))
        if row is None or row.base != COMMANDS[octets[0]]:
            return self._no(octets, UNKNOWN_IOA)
        return self._commands.take(octets, read, row, now)

    def _wrote(self, *confirmations: bytes) -> list[bytes]:
        self.written += confirmations
        return []

    def _start(self, job: Job) -> list[bytes]:
        request = job.request
        if any(other.type == job.type and other.ca == job.ca for other in self.jobs):
            raise Refused("an interrogation came while the one before it is under way")
        if len(self.jobs) >= MOST_JOBS:
            raise Refused(f"{MOST_JOBS} requests are under way; ask again later")
        self.jobs.append(job)
        return [mirror(request, ACT_CON)]

    def _stop(self, octets: bytes, ca: int) -> list[bytes]:
        running = [job for job in self.jobs if job.type == octets[0] and job.ca == ca]
        for job in running:
            self.jobs.remove(job)
        return [mirror(octets, DEACT_CON, negative=not running)]


_BOTH = (ACT, DEACT)
RULES: dict[int, Rule] = {
    100: Rule(_BOTH, True, Requests.interrogation),
    101: Rule(_BOTH, True, Requests.counters),
    102: Rule((REQUEST,), False, Requests.read),
    103: Rule((ACT,), True, Requests.clock),
    104: Rule((ACT,), True, Requests.test),
    105: Rule((ACT,), True, Requests.reset),
    107: Rule((ACT,), True, Requests.test),
    110: Rule((ACT,), False, Requests.parameter),
    111: Rule((ACT,), False, Requests.parameter),
    112: Rule((ACT,), False, Requests.parameter),
    113: Rule(_BOTH, False, Requests.activation),
    **{number: Rule(_BOTH, False, Requests.command) for number in COMMANDS},
}
