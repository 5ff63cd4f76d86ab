"""Where a configuration's 104 devices are; without c104, so that everybody may ask."""

from __future__ import annotations

from tandem.config.model import Config, Device

PROTOCOL = "iec104"


def remote_places(config: Config) -> dict[tuple[str, int], list[tuple[Device, dict[str, object]]]]:
    """By host and port: the enabled 104 devices there, each with its master's options."""
    places: dict[tuple[str, int], list[tuple[Device, dict[str, object]]]] = {}
    for master in config.masters:
        if master.protocol == PROTOCOL:
            for device in master.devices:
                if device.enabled:
                    places.setdefault((device.host, device.tcp_port or 2404), []).append((device, master.options))
    return places
