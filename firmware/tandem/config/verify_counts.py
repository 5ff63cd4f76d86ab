"""How much the members can tell each other of a configuration."""

from __future__ import annotations

from tandem.config.model import Config
from tandem.config.read import Reader
from tandem.point import CURSORS_MAX

_ARCHIVES = 2


def cursors(config: Config) -> int:
    """Places in the journal that the members tell each other of: of centers, of devices that confirm, of archives."""
    centers = [center for slave in config.slaves for center in slave.centers]
    places = {
        (master.name, device.host, device.options.get("second_host", ""), device.tcp_port)
        for master in config.masters
        if master.protocol == "iec104"
        for device in master.devices
        if device.enabled
    }
    return sum(1 + (center.session != "group") for center in centers) + len(places) + _ARCHIVES


def verify_cursors(config: Config, reader: Reader) -> None:
    """All of them travel in one hello."""
    many = cursors(config)
    if many > CURSORS_MAX:
        wrong = (
            f"control centers (twice where each member has its own buffer), addresses of IEC 104 devices and "
            f"{_ARCHIVES} archives are {many} places in the journal; the members can tell each other of "
            f"{CURSORS_MAX}"
        )
        reader.add(("standby",), wrong, "give part of the devices, or of the centers, to another group")
