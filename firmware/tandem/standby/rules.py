"""The guard's rules out of a configuration; apart from `guard`, because the heart imports no configuration."""

from __future__ import annotations

from tandem.config.margins import RelayTimes
from tandem.config.model import Config, Standby
from tandem.config.stalls import TICK_MS
from tandem.config.timing import delivery_ms
from tandem.panel.leds import DEAD
from tandem.point import MS
from tandem.standby.guard_words import PathRule, Rules

BENCH, KERNEL, NONE = "bench", "kernel", "none"
"""Whose the group addresses, carriers and the lease are: the bench's pins play them, the kernel has them, nobody's."""

MOST_TICK_MS = 50


def path_names(config: Config) -> tuple[str, ...]:
    """The heartbeat paths in their order: what `[standby].paths` names, else every LAN."""
    return config.standby.paths or tuple(f"lan.{lan.name}" for lan in config.lans)


def tick_ms(standby: Standby, relay: RelayTimes | None) -> int:
    """How often the heart renews the lease, pulses the watchdog and looks for progress, in ms.

    As often as the profile says, or less often where the group's own times are longer: six renewals in a lease, four
    looks in a stall, and the pulses that W asks for.
    """
    rooms = [standby.lease_ms // 6, standby.stall_ms // 4, standby.heartbeat_ms, MOST_TICK_MS]
    return max(TICK_MS[standby.profile], min([*rooms, relay.pulse_ms] if relay else rooms))


def guard_rules(
    config: Config, member: str, relay: RelayTimes | None, has_pins: bool = True, network: str = BENCH
) -> Rules:
    """What the guard of `member` needs to know. `network`: BENCH, KERNEL or NONE."""
    standby = config.standby
    paths = tuple(
        PathRule(name, int(delivery_ms(config, name) * MS), name.startswith("serial.")) for name in path_names(config)
    )
    return Rules(
        member=int(member == "b"),
        paths=paths,
        heartbeat_ns=standby.heartbeat_ms * MS,
        dead_ns=standby.dead_after_ms * MS,
        lease_ns=standby.lease_ms * MS,
        stall_ns=standby.stall_ms * MS,
        watchdog_ns=int((relay.watchdog_ms if relay else 0) * MS),
        settle_ns=int((relay.bounce_ms + relay.debounce_ms if relay else 0) * MS),
        tick_ns=tick_ms(standby, relay) * MS,
        has_pins=has_pins and relay is not None,
        fenced=has_pins and network == BENCH,
        lease_needed=standby.lease == "required",
        trip_ns=int((relay.trip_ms if relay else 0) * MS),
        dead_leds=DEAD,
        lans=len(config.lans) if network == KERNEL or (has_pins and network == BENCH) else 0,
    )
