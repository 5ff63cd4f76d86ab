"""A whole node alone, in virtual time: a heart that obeys, no peer, no field; for what it tells."""

from __future__ import annotations

from tandem.action import Dial, Persist, Store, ToHeart
from tandem.codec.heart import SERVICE_ON, Carried, HeartTurn, Ready, ServiceOn
from tandem.config.load import parse_group
from tandem.config.model import Config
from tandem.master.modbus_device import Device
from tandem.master.modbus_engine import ModbusChannel
from tandem.node import Node
from tandem.past import Past
from tandem.point import MS
from tests.support.configs import Edit, example
from tests.support.iec104_rig import UTC_US

STREAM = "slave:scada#1"
_STEP_MS = 25


def config_of(*edits: Edit) -> Config:
    """The example group with some text replaced; it must be sound."""
    config, findings = parse_group(example(*edits), None)
    assert config is not None, findings
    return config


class NodeRig:
    """Member a of a configuration."""

    def __init__(self, *edits: Edit) -> None:
        self.node = Node(config_of(*edits), "a", None, Past({}), bytes, False, 0)
        self.node.clock_reads(UTC_US, True, 0)
        self.now = 0
        self.dials: list[str] = []
        """Connections that the field side asked for."""
        self.flash_fault = ""
        """Why the flash takes no record, from now on."""

    def become_active(self) -> None:
        """The heart is up, the peer is not, and this member is alone for long enough."""
        self.ready()
        self.after(4000)
        assert self.value("role_active")

    def ready(self) -> None:
        """The heart is up."""
        self.node.heart_says(Ready(1, 1, ""), self.now)

    def after(self, ms: int = 0) -> None:
        """Time passes, in turns of 25 ms as of an idle loop."""
        until = self.now + ms * MS
        while True:
            self.node.heart_says(HeartTurn(self.now), self.now)
            self.node.tick(self.now)
            self.node.pump(self.now)
            for action in self.node.actions():
                if isinstance(action, Persist):
                    self.node.persisted(action, "", self.now)
                elif isinstance(action, Dial):
                    self.dials += [action.channel] if action.channel.startswith("master:") else []
                elif isinstance(action, Store):
                    self.node.keeping.stored(action, self.flash_fault, self.now)
                elif isinstance(action, ToHeart) and isinstance(action.request, ServiceOn):
                    self.node.heart_says(Carried(self.now + 2 * MS, SERVICE_ON, action.request.epoch), self.now)
            if self.now >= until:
                return
            self.now = min(until, self.now + _STEP_MS * MS)

    def value(self, name: str) -> float:
        """A system point's present value, by its name without the prefix."""
        return self.present(name)[2]

    def present(self, name: str) -> tuple[int, int, float, int, int, int, int]:
        """The whole record."""
        return self.node.database.present[self.node.table.id(f"_sys.{name}")]

    def device(self, name: str) -> Device:
        """A Modbus device's inside."""
        channels = [c for made in self.node.channels.values() for c in made if isinstance(c, ModbusChannel)]
        return next(device for channel in channels for device in channel._devices if device.name == name)

    def connect(self) -> None:
        """The center "probe" connects to this member's own address."""
        self.node.accepted(STREAM, "127.20.2.31", False, self.now)

    def send(self, octets: str) -> None:
        """Octets of the center, in hex."""
        self.node.receive(STREAM, bytes.fromhex(octets), self.now)

    def frames(self) -> list[str]:
        """What the center was sent since it was asked last: each frame in spaced hex. The center acknowledges it."""
        octets = b"".join(data for stream, data in self.node.outgoing() if stream == STREAM)
        frames = []
        while octets:
            size = 2 + octets[1]
            frames.append(octets[:size].hex(" "))
            if not octets[2] & 1:  # an I-frame: N(R) is behind its N(S)
                behind = (int.from_bytes(octets[2:4], "little") + 2) & 0xFFFF
                self.node.receive(STREAM, b"\x68\x04\x01\x00" + behind.to_bytes(2, "little"), self.now)
            octets = octets[size:]
        return frames
