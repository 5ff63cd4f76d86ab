"""What the kernel is told of connections to devices and from centers, read back from the sockets."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from tandem.config.finding import ConfigError
from tandem.config.load import load
from tandem.config.model import Address, Config
from tandem.node import Node
from tandem.past import Past
from tandem.point import MS
from tandem.port.net_plan import net_plan
from tandem.port.tcp_rules import PLAIN, center_rules, field_rules, source_address
from tandem.standby.rules import KERNEL
from tests.support.configs import EXAMPLE


@pytest.fixture
def config() -> Config:
    return load(EXAMPLE)


def option(made: socket.socket, name: int) -> int:
    return made.getsockopt(socket.IPPROTO_TCP, name)


def test_a_devices_connection_ends_a_second_after_it_stops_acknowledging(config: Config) -> None:
    rules = field_rules(config, "master:meters.M1#3", "group")
    assert rules.user_timeout_ms == 1000 and rules.group
    assert field_rules(config, "master:meter.M1#3", "group") == PLAIN, "another master's name begins the same"
    with socket.socket() as made:
        rules.apply(made)
        assert option(made, socket.TCP_NODELAY) == 1 and option(made, socket.TCP_USER_TIMEOUT) == 1000
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 0


def test_a_silent_center_is_asked_as_configured(config: Config) -> None:
    with socket.socket() as made:
        center_rules(config, "scada", False).apply(made)
        assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert option(made, socket.TCP_KEEPIDLE) == 10 and option(made, socket.TCP_USER_TIMEOUT) == 0


@pytest.mark.parametrize(
    ("group", "in_order", "reset"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_a_session_of_the_group_ends_by_a_reset_unless_it_is_closed_in_order(
    config: Config, group: bool, in_order: bool, reset: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, socket.create_connection(door.getsockname()) as center:
        session = door.accept()[0]
        rules = center_rules(config, "scada", group)
        rules.apply(session)
        if in_order:
            rules.ends(session, False)
        session.close()  # without a word before it: as the kernel does for a killed process
        if reset:
            with pytest.raises(ConnectionResetError):
                center.recv(1)
        else:
            assert center.recv(1) == b""


def test_too_short_a_time_is_refused(tmp_path: Path) -> None:
    for file in Path(EXAMPLE).iterdir():
        text = file.read_text(encoding="utf-8")
        if file.name == "gateway.toml":
            text = text.replace('devices = "meters.csv"', 'devices = "meters.csv"\nuser_timeout_ms = 499')
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="user_timeout_ms"):
        load(str(tmp_path))


def test_a_device_is_asked_from_the_address_of_its_own_family(config: Config) -> None:
    lan = replace(config.lan("station"), group=(Address("10.1.0.10", 24), Address("fd00::10", 64)))
    assert source_address(lan, "a", "group", "fd00::50") == "fd00::10"
    assert source_address(lan, "a", "group", "10.1.0.50") == "10.1.0.10"
    assert source_address(lan, "b", "own", "127.20.1.50") == "127.20.1.12"


def test_the_hearts_plan_names_interfaces_addresses_and_what_only_the_active_asks(config: Config) -> None:
    lan = replace(config.lan("control"), vlan=12, router="127.20.2.1", routes=(("10.9.0.0/16", "127.20.2.2"),))
    masters = tuple(replace(m, source="own") for m in config.masters)
    changed = replace(config, lans=(config.lan("station"), lan), masters=masters)
    plan = net_plan(changed, "a")
    first, second = plan["lans"]
    assert (first["device"], first["routes"]) == ("lo", []), "the system's own ways are as good there"
    assert (second["device"], second["parent"], second["vlan"]) == ("lo.12", "lo", 12)
    assert second["group"] == [(bytes([127, 20, 2, 10]), 32)], "a host address beside the own one"
    assert second["askers"] == [bytes([127, 20, 2, 11])] and second["peer"] == [bytes([127, 20, 2, 12])]
    assert second["routes"] == [
        (bytes([127, 20, 2, 0]), 24, b""), (bytes(4), 0, bytes([127, 20, 2, 1])),
        (bytes([10, 9, 0, 0]), 16, bytes([127, 20, 2, 2])),
    ]  # fmt: skip
    assert plan["field"] == [(bytes([127, 20, 1, 50]), 5020)] and plan["lease"]
    assert net_plan(config, "a")["field"] == [], "what is asked from a group address is behind its gate"


def test_a_member_that_must_have_a_lease_is_out_of_service_without(config: Config) -> None:
    demands = replace(config, standby=replace(config.standby, lease="required"))
    node = Node(demands, "a", None, Past({}), lambda n: bytes(n), False, 0)
    node.network(KERNEL)
    assert node._own(0).fault == "lease = required: the kernel lease is not loaded yet"
    assert node.status(0)["fence"] == "none" and not node.unanswered(10**9 * MS)
    node.fence(True, "")
    assert node._own(0).fault == "" and node.status(0)["fence"] == "lease"
    node.fence(False, "no tables here")
    assert node._own(0).fault == "lease = required: no tables here"
