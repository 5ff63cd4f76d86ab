"""`on_standby = "connected"`: a standby's connection to a 104 device stays stopped and tested; a takeover starts it."""

from __future__ import annotations

from tandem.action import Action, CloseChannel, Dial
from tandem.field import Field
from tandem.point import MS
from tandem.standby.role_table import Role
from tests.support.configs import EXAMPLE, Edit
from tests.support.iec104_master_rig import Rig
from tests.support.iec104_rig import START, START_CON, TEST, TEST_CON
from tests.support.node_rig import NodeRig

NAME = "rtus.R1"


class Standby:
    """A field side whose only channel is kept connected."""

    def __init__(self) -> None:
        self.rig = Rig(options={"t3_s": 5})
        self.field = Field(self.rig.channels, {}, connected=frozenset((NAME,)))
        self.now = 0

    def after(self, ms: int = 0) -> list[Action]:
        """Time passes; what the outside has to do."""
        end = self.now + ms * MS
        while (due := self.field.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.field.tick(self.now)
        self.now = end
        return self.field.actions()

    def sent(self) -> list[str]:
        return [octets.hex(" ") for _, octets in self.field.outgoing()]

    def dialed(self) -> str:
        """The one stream that is to be opened."""
        (dial,) = [action for action in self.after() if isinstance(action, Dial)]
        return dial.channel

    def hear(self, stream: str, text: str) -> None:
        self.field.receive(stream, bytes.fromhex(text), self.now)


def test_a_takeover_only_starts_it() -> None:
    standby = Standby()
    standby.field.keep(True, standby.now)
    stream = standby.dialed()
    standby.field.opened(stream, standby.now)
    assert standby.sent() == [] and standby.field.streams() == {NAME: (True, False)}
    standby.after(5000)
    assert standby.sent() == [TEST]
    standby.hear(stream, TEST_CON)
    standby.field.start("service", standby.now, False, True)
    assert standby.after() == [], "no connection is made"
    assert standby.sent() == [START] and standby.field.streams() == {NAME: (True, True)}
    standby.hear(stream, START_CON)
    standby.field.release(0, standby.now)
    assert standby.sent(), "the interrogation"


def test_who_lost_the_role_resets_and_connects_again_without_a_start() -> None:
    standby = Standby()
    standby.field.keep(True, standby.now)
    stream = standby.dialed()
    standby.field.opened(stream, standby.now)
    standby.field.start("service", standby.now, False, True)
    standby.sent()
    standby.field.stop("service", standby.now, "the role is lost")
    assert standby.after() == [CloseChannel(stream, "the role is lost", reset=True)]
    again = [action for action in standby.after(100) if isinstance(action, Dial)]
    standby.field.opened(again[0].channel, standby.now)
    assert again[0].channel != stream and standby.sent() == []


def test_a_connection_that_breaks_is_made_again_and_a_member_out_of_service_has_none() -> None:
    standby = Standby()
    standby.field.keep(True, standby.now)
    stream = standby.dialed()
    standby.field.opened(stream, standby.now)
    standby.field.closed(stream, "the device was switched off", standby.now)
    stream = next(action.channel for action in standby.after(100) if isinstance(action, Dial))
    standby.field.opened(stream, standby.now)
    standby.field.keep(False, standby.now)
    (close,) = standby.after()
    assert isinstance(close, CloseChannel) and (close.channel, close.reset) == (stream, False)
    assert standby.after(60_000) == [] and standby.field.due() is None
    standby.field.keep(True, standby.now)
    assert standby.dialed() != stream


def test_values_of_a_device_that_was_not_started_close_the_connection() -> None:
    standby = Standby()
    standby.field.keep(True, standby.now)
    stream = standby.dialed()
    standby.field.opened(stream, standby.now)
    standby.hear(stream, "68 0e 00 00 00 00 01 01 03 00 2f 00 ea 03 00 01")
    closes = [action for action in standby.after() if isinstance(action, CloseChannel)]
    assert len(closes) == 1 and standby.rig.journal.head == 0


_METER = (EXAMPLE / "m1.csv").read_text(encoding="utf-8")
METERS_BY_104: tuple[Edit, ...] = (
    ("gateway.toml", 'protocol = "modbus-tcp"', 'protocol = "iec104"'),
    ("gateway.toml", 'source = "group"', 'source = "own"'),
    ("gateway.toml", 'on_standby = "none"', 'on_standby = "connected"'),
    ("gateway.toml", "scan = { normal = 200 }", ""),
    (
        "m1.csv",
        _METER,
        "name,kind,address\nactive_power,analog,2001\nreactive_power,analog,2002\nalarm,binary,1001\n",
    ),
)
"""The example's meters talk IEC 104, and accept both members."""


def test_a_node_connects_while_it_is_standby_and_starts_when_it_is_active() -> None:
    rig = NodeRig(*METERS_BY_104)
    assert rig.dials == [], "before it may take over it does not trouble the devices"
    rig.ready()
    while rig.node.role.role is not Role.STANDBY:
        rig.after(25)
    rig.after(200)
    (stream,) = rig.dials

    def sent() -> list[str]:
        return [octets.hex(" ") for channel, octets in rig.node.outgoing() if channel == stream]

    rig.node.opened(stream, rig.now)
    while rig.node.role.role is Role.STANDBY:
        assert sent() == [], "a connection, and not a word"
        rig.after(25)
    rig.after(50)
    assert rig.node.is_active and sent() == [START]
    assert rig.dials == [stream], "nothing else was connected"
