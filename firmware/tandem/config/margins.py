"""The times of relays and watchdog, and what is to spare between the steps of fence before promote.

last pulse --hold--> watchdog coil dead --release--> its contact open --release, bounce--> role contact open   <= W
claim: W, then operate, bounce, debounce                                                          <= claim timeout
trip:  its relay, the peer's release, bounce, debounce, then the own stagger and operate          <= trip pulse
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

KERNEL_TICK_MS = 10
MARGIN_MS = 10
FRAME_OCTETS = 30
FRAME_WAIT_MS = 5
"""A guardian's frame, and how long a pulse may wait for the next one."""
PULSE_MS = 10
"""A pulse comes so often in the slower profile, or less often where W has room for it: `pulse_ms`."""
LOST_PULSES = 4
MOST_WATCHDOG_MS, MOST_EMULATED_MS = 120, 1000


@dataclass(slots=True, frozen=True)
class RelayTimes:
    """What a board's relays take, in ms. `watchdog_ms` (W): from the last pulse to the open role contact.

    `claim_timeout_ms` of 0: as long as the relays need, with a margin. `emulated`: a program plays them, on a computer
    that may be late by more than iron ever is. `trip_ms`: a pulse on the peer-trip output, 0 where it is not wired.
    """

    watchdog_ms: float
    operate_ms: float = 0.0
    release_ms: float = 0.0
    bounce_ms: float = 0.0
    debounce_ms: float = 0.0
    claim_timeout_ms: float = 0.0
    emulated: bool = False
    trip_ms: float = 0.0
    trip_operate_ms: float = 0.0

    @property
    def most_watchdog_ms(self) -> int:
        """W may be so long: a peer waits for it before it claims."""
        return MOST_EMULATED_MS if self.emulated else MOST_WATCHDOG_MS

    @property
    def pulse_ms(self) -> int:
        """A pulse need not come more often: a twelfth of W, so that several may be late."""
        return max(PULSE_MS, int(self.watchdog_ms) // 12)

    @property
    def needed_ms(self) -> float:
        """The shortest claim timeout that a healthy claim cannot reach."""
        return self.watchdog_ms + self.operate_ms + self.bounce_ms + self.debounce_ms + MARGIN_MS

    @property
    def claim_ms(self) -> float:
        """The claim timeout of member a."""
        return self.claim_timeout_ms or self.needed_ms

    @property
    def stagger_ms(self) -> float:
        """What member b waits longer, so that interlocked claims never meet."""
        return 2 * (self.operate_ms + self.release_ms + self.bounce_ms)

    def trip_needed_ms(self, open_ms: float) -> float:
        """The shortest pulse in which the peer's contact opens, is still for `open_ms`, and the own coil locks it."""
        opens = self.trip_operate_ms + self.release_ms + self.bounce_ms
        return opens + open_ms + self.stagger_ms + self.operate_ms + MARGIN_MS


@dataclass(slots=True, frozen=True)
class WatchdogTimes:
    """The watchdog relay, in ms: `hold_ms` after the last pulse its coil is dead, then it releases."""

    hold_ms: float
    operate_ms: float
    release_ms: float


class Margin(NamedTuple):
    """One step's time to spare; negative: it cannot keep its promise. `path`: the key that is to be corrected."""

    name: str
    spare_ms: float
    sentence: str
    cure: str
    path: tuple[str, ...]


def margins(relay: RelayTimes, watchdog: WatchdogTimes, way_ms: float = 0.0) -> tuple[Margin, ...]:
    """What is to spare in each step, from the board's data. `way_ms`: of a pulse to what holds K1."""
    w, hold = relay.watchdog_ms, watchdog.hold_ms
    way = f"way of a pulse {way_ms:g} + " if way_ms else ""
    opens = way_ms + hold + watchdog.release_ms + relay.release_ms + relay.bounce_ms
    fed = LOST_PULSES * relay.pulse_ms + KERNEL_TICK_MS
    return (
        Margin(
            "the role contact is open within W of the last pulse",
            w - opens,
            f"watchdog_ms = {w:g} is below {way}hold {hold:g} + watchdog release {watchdog.release_ms:g} + role "
            f"release {relay.release_ms:g} + bounce {relay.bounce_ms:g} = {opens:g}",
            f"write {opens:g} or more, or hold shorter",
            ("relay", "watchdog_ms"),
        ),
        Margin(
            "W leaves the peer time",
            relay.most_watchdog_ms - w,
            f"the board's watchdog relay opens after {w:g} ms",
            f"at most {relay.most_watchdog_ms} are allowed: hold shorter, or take faster relays",
            ("relay", "watchdog_ms"),
        ),
        Margin(
            "pulses that come late drop nothing",
            hold - fed,
            f"hold_ms = {hold:g} is below {LOST_PULSES} pulses of {relay.pulse_ms} + kernel tick {KERNEL_TICK_MS} "
            f"= {fed:g}",
            f"write {fed:g} or more",
            ("watchdog", "hold_ms"),
        ),
        Margin(
            "a healthy claim ends in its time",
            relay.claim_ms - relay.needed_ms,
            f"claim_timeout_ms = {relay.claim_ms:g} is below watchdog {w:g} + operate {relay.operate_ms:g} + bounce "
            f"{relay.bounce_ms:g} + debounce {relay.debounce_ms:g} + margin {MARGIN_MS} = {relay.needed_ms:g}",
            f"write {relay.needed_ms:g} or more, or leave it out",
            ("relay", "claim_timeout_ms"),
        ),
        Margin(
            "a bounce is over before a contact is believed",
            relay.debounce_ms - relay.bounce_ms,
            f"debounce_ms = {relay.debounce_ms:g} is below bounce_ms = {relay.bounce_ms:g}: a contact that "
            "bounces would be believed in between",
            f"write {relay.bounce_ms:g} or more",
            ("relay", "debounce_ms"),
        ),
        Margin(
            "the watchdog's contact closes before a claim ends",
            w - watchdog.operate_ms - relay.pulse_ms,
            f"watchdog operate_ms = {watchdog.operate_ms:g} and a pulse of {relay.pulse_ms} are longer than W = {w:g}",
            "take a faster watchdog relay",
            ("watchdog", "operate_ms"),
        ),
        *((_trip(relay),) if relay.trip_ms else ()),
    )


def _trip(relay: RelayTimes) -> Margin:
    """What the group's own times add to it is reckoned in `timing`."""
    needed = relay.trip_needed_ms(relay.debounce_ms)
    return Margin(
        "a tripped peer's contact is seen open, and locked, before the pulse ends",
        relay.trip_ms - needed,
        f"trip_ms = {relay.trip_ms:g} is below trip operate {relay.trip_operate_ms:g} + release {relay.release_ms:g} + "
        f"bounce {relay.bounce_ms:g} + debounce {relay.debounce_ms:g} + stagger {relay.stagger_ms:g} + operate "
        f"{relay.operate_ms:g} + margin {MARGIN_MS} = {needed:g}",
        f"write {needed:g} or more",
        ("relay", "trip_ms"),
    )
