"""The times of a takeover: which sets of them cannot keep the promises, with the numbers in the sentence."""

from __future__ import annotations

from tandem.config.margins import KERNEL_TICK_MS, MARGIN_MS, RelayTimes
from tandem.config.model import Config, Standby
from tandem.config.protocols import PROTOCOLS
from tandem.config.read import Reader

GRANT_AGE_MS = 50
"""An acknowledgement this old ends a grant of being in sync."""
LAN_DELIVERY_MS = 2.0
BEAT_OCTETS = 64
LOST_BEATS = {"normal": 2, "fast": 1}

__all__ = ["RelayTimes", "delivery_ms", "surrender_ms", "verify_timing"]


def surrender_ms(standby: Standby) -> int:
    """A member that lives has given everything back so long after its role contact was opened under it.

    Its heart reads the contact and its supervisor drops the service; one that stands still is ended after P, and
    behind a frozen heart the lease lapses after L.
    """
    return standby.lease_ms + standby.stall_ms + 2 * KERNEL_TICK_MS


def delivery_ms(config: Config, path: str) -> float:
    """How long one beat may be on its way over a heartbeat path."""
    line = next((s for s in config.serials if path == f"serial.{s.name}"), None)
    return LAN_DELIVERY_MS if line is None else BEAT_OCTETS * line.octet_ns / 1e6


def verify_timing(config: Config, relay: RelayTimes | None, reader: Reader) -> None:
    """Refuse what cannot work. Without relay times the rules that need them are left out."""
    s = config.standby
    beats = LOST_BEATS[s.profile]
    least = s.lease_ms + beats * s.heartbeat_ms + KERNEL_TICK_MS
    dead = ("standby", "dead_after_ms")
    if s.dead_after_ms < least:
        reader.add(
            dead,
            f"dead_after_ms = {s.dead_after_ms} is below lease_ms {s.lease_ms} + {beats} x heartbeat_ms "
            f"{s.heartbeat_ms} + kernel tick {KERNEL_TICK_MS} = {least}",
            f"write {least} or more",
        )
    paths = [(delivery_ms(config, path), path) for path in s.paths]
    if paths:
        slowest, path = max(paths)
        needed = 2 * s.heartbeat_ms + slowest + s.lease_ms + KERNEL_TICK_MS
        if s.dead_after_ms < needed:
            reader.add(
                dead,
                f"dead_after_ms = {s.dead_after_ms} is below 2 x heartbeat_ms {s.heartbeat_ms} + {slowest:.1f} on "
                f"the slowest path ({path}) + lease_ms {s.lease_ms} + kernel tick {KERNEL_TICK_MS} = {needed:.1f}",
                f"write {-int(-needed // 1)} or more, or make the path faster",
            )
    claim = _claim(config, relay, reader)
    _leases(config, claim, reader)
    _trip(config, relay, claim, reader)
    _confirms(config, reader)


def _claim(config: Config, relay: RelayTimes | None, reader: Reader) -> tuple[float, float]:
    """(claim timeout, stagger); zeros where no relays arbitrate or nothing is known of them."""
    if relay is None or config.standby.arbitration != "relays":
        return 0.0, 0.0
    path = ("standby", "arbitration")
    if relay.watchdog_ms > relay.most_watchdog_ms:
        reader.add(
            path,
            f"the board's watchdog relay opens after {relay.watchdog_ms:g} ms",
            f"at most {relay.most_watchdog_ms} are allowed: correct the board's relay times",
        )
    if relay.claim_ms < relay.needed_ms:
        reader.add(
            path,
            f"the board's claim timeout of {relay.claim_ms:g} ms is below watchdog {relay.watchdog_ms:g} + "
            f"operate {relay.operate_ms:g} + bounce {relay.bounce_ms:g} + debounce {relay.debounce_ms:g} + "
            f"margin {MARGIN_MS} = {relay.needed_ms:g}",
            f"write {relay.needed_ms:g} or more in the board's file",
        )
    return relay.claim_ms, relay.stagger_ms


def _trip(config: Config, relay: RelayTimes | None, claim: tuple[float, float], reader: Reader) -> None:
    """Where a peer-trip is wired: its pulse outlasts what the peer needs to give everything back, and the own claim."""
    s = config.standby
    if relay is None or not relay.trip_ms or s.arbitration != "relays":
        return
    surrender = surrender_ms(s)
    needed = relay.trip_needed_ms(surrender)
    if relay.trip_ms < needed:
        reader.add(
            ("standby", "arbitration"),
            f"the board's trip_ms of {relay.trip_ms:g} is below trip operate {relay.trip_operate_ms:g} + release "
            f"{relay.release_ms:g} + bounce {relay.bounce_ms:g} + lease_ms {s.lease_ms} + stall_ms {s.stall_ms} + two "
            f"kernel ticks {2 * KERNEL_TICK_MS} + stagger {relay.stagger_ms:g} + operate {relay.operate_ms:g} + margin "
            f"{MARGIN_MS} = {needed:g}",
            f"write {needed:g} or more in the board's file",
        )
    takeover = 2 * s.dead_after_ms + s.heartbeat_ms + sum(claim) + relay.trip_ms
    if takeover >= s.sync_lease_ms:
        reader.warn(
            ("standby", "sync_lease_ms"),
            f"sync_lease_ms = {s.sync_lease_ms}: a takeover that trips the peer may take {takeover:g} ms, so the "
            "standby would be out of sync by then",
            f"write {int(takeover) + 1} or more, or live with an integrity scan after a trip",
        )


def _leases(config: Config, claim: tuple[float, float], reader: Reader) -> None:
    s = config.standby
    takeover = 2 * s.dead_after_ms + s.heartbeat_ms + sum(claim)
    if not takeover < s.sync_lease_ms:
        reader.add(
            ("standby", "sync_lease_ms"),
            f"sync_lease_ms = {s.sync_lease_ms} is not above 2 x dead_after_ms "
            f"{s.dead_after_ms} + heartbeat_ms {s.heartbeat_ms} + claim timeout {claim[0]:g} + stagger {claim[1]:g} = "
            f"{takeover:g}: the standby would be out of sync when it takes over",
            f"write {int(takeover) + 1} or more",
        )
    alone = GRANT_AGE_MS + s.sync_lease_ms + KERNEL_TICK_MS
    if not alone < s.confirm_wait_ms:
        reader.add(
            ("standby", "confirm_wait_ms"),
            f"confirm_wait_ms = {s.confirm_wait_ms} is not above {GRANT_AGE_MS} + "
            f"sync_lease_ms {s.sync_lease_ms} + kernel tick {KERNEL_TICK_MS} = {alone}: a confirm would be given up "
            "before the active may go on alone",
            f"write {alone + 1} or more",
        )


def _confirms(config: Config, reader: Reader) -> None:
    wait = config.standby.confirm_wait_ms
    for master in config.masters:
        if PROTOCOLS[master.protocol].confirms and wait > master.link_timeout_ms:
            reader.findings.add(
                master.place,
                f'master "{master.name}": its devices wait {master.link_timeout_ms} ms for a confirm '
                f"(link_timeout_ms), which may be held back for confirm_wait_ms = {wait}",
                "raise link_timeout_ms there and at the devices, or lower confirm_wait_ms",
            )
