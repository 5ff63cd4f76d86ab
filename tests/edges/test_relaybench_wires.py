"""The relay bench as a process: addresses, owners, cuts, refusals and serial lines as two fake members see them."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.port.pins import BenchPins
from tests.edges.relaybench import Rig, rig

PROBE, GROUP = "2.31", "2.10"
OWN = {"a": "11", "b": "12"}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Rig]:
    with rig(tmp_path) as made:
        yield made


def session(world: Rig, m: str) -> tuple[socket.socket, socket.socket]:
    """A client at the group address and the member's end of it."""
    served = world.listen(world.on_plane(m, GROUP), 2404)
    client = world.dial(world.public(PROBE), world.public(GROUP), 2404)
    inside, (source, _) = served.accept()
    inside.settimeout(2)
    assert source == world.public(PROBE), "the member sees the client's own address"
    client.sendall(b"hello")
    assert inside.recv(10) == b"hello"
    inside.sendall(b"yes")
    assert client.recv(10) == b"yes"
    return client, inside


def silent(sock: socket.socket, seconds: float = 0.15) -> bool:
    sock.settimeout(seconds)
    try:
        sock.recv(1, socket.MSG_PEEK)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(2)
    return False


def test_the_heart_senses_contacts_lease_and_carriers(world: Rig) -> None:
    heart = world.heart["a"]
    assert heart.sensed() == b"S\0\0\0\0\1\1"
    world.close_contact("a")
    heart.say(b"L")
    assert heart.sensed() == b"S\1\0\1\1\1\1"
    assert world.heart["b"].sensed() == b"S\0\1\0\0\1\1"
    world.bench.cut("control", "a")
    assert heart.sensed() == b"S\1\0\1\1\1\0"


def test_a_heart_retriggers_by_its_page_and_what_it_no_longer_notes_falls(world: Rig) -> None:
    world.heart["a"].close()
    pins = BenchPins({"path": str(world.run / "pins-a")})
    time.sleep(0.05)
    pins.say(b"L", time.monotonic_ns())
    sent, until = 0, time.monotonic() + 0.5
    while time.monotonic() < until:
        pins.read(time.monotonic_ns())
        for word in (b"P", b"R"):
            sent += not pins._page or not getattr(pins._last, {b"P": "watchdog", b"R": "lease"}[word])
            pins.say(word, time.monotonic_ns())
        time.sleep(0.005)
    state = world.bench.state()["members"]["a"]
    assert state["watchdog"] and state["lease"]
    assert 1 <= sent < 20, "what runs is retriggered without a message"
    last = time.monotonic_ns()
    world.wait(lambda: not world.bench.state()["members"]["a"]["watchdog"])
    assert world.times("lease", "a", 0)[-1] - last <= 80e6
    assert world.times("watchdog", "a", 0)[-1] - last <= 150e6
    pins.close()


def test_a_new_owner_resets_the_sessions_of_the_old_one(world: Rig) -> None:
    world.own("a")
    client, _ = session(world, "a")
    world.heart["b"].pulse()
    world.heart["b"].say(b"L", b"A")
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    again, _ = session(world, "b")
    assert silent(again)


def test_a_lapsed_lease_answers_neither_octets_nor_a_connection(world: Rig) -> None:
    world.own("a")
    client, inside = session(world, "a")
    last = world.heart["a"].freeze()
    world.wait(lambda: not world.bench.state()["members"]["a"]["lease"])
    lapsed = world.times("lease", "a", 0)[-1]
    assert 50e6 <= lapsed - last <= 80e6
    inside.sendall(b"zombie")
    assert silent(client)
    with pytest.raises(TimeoutError):
        world.dial(world.public(PROBE), world.public(GROUP), 2404, 0.2)
    world.heart["a"].pulse()
    time.sleep(0.1)
    assert not world.bench.state()["members"]["a"]["lease"], "renewing what lapsed"
    assert silent(client)


def test_a_cut_cable_shows_no_fin_and_gives_the_octets_later(world: Rig) -> None:
    world.own("a")
    client, inside = session(world, "a")
    world.bench.cut("control", "a")
    inside.sendall(b"late")
    assert silent(client)
    world.bench.restore("control", "a")
    assert client.recv(10) == b"late"


def test_a_lost_supply_swallows_the_reset_and_a_boot_gives_it(world: Rig) -> None:
    world.own("a")
    client, inside = session(world, "a")
    world.bench.cut("power", "a")
    inside.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    inside.close()
    client.sendall(b"x")
    assert silent(client)
    world.bench.restore("power", "a")
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_dead_process_passes_its_fin_and_a_closed_port_its_reset(world: Rig) -> None:
    world.own("a")
    client, inside = session(world, "a")
    inside.close()
    assert client.recv(1) == b""
    with pytest.raises(ConnectionResetError):  # at once, or with the first octet
        world.dial(world.public(PROBE), world.public("2.12"), 2404).recv(1)


def test_members_reach_devices_and_each_other_under_their_public_addresses(world: Rig) -> None:
    world.own("a")
    meter = world.listen(world.public("1.50"), 5020)
    world.dial(world.on_plane("a", "1.10"), world.on_plane("a", "1.50"), 5020)
    assert meter.accept()[1][0] == world.public("1.10")
    world.dial(world.on_plane("b", "1.12"), world.on_plane("b", "1.50"), 5020)
    assert meter.accept()[1][0] == world.public("1.12")
    link = world.listen(world.on_plane("a", "1.11"), 4720)
    world.dial(world.on_plane("b", "1.12"), world.on_plane("b", "1.11"), 4720)
    assert link.accept()[1][0] == world.on_plane("a", "1.12")


def test_a_frozen_owners_device_session_is_reset_by_its_successor(world: Rig) -> None:
    world.own("a")
    meter = world.listen(world.public("1.50"), 5020)
    world.dial(world.on_plane("a", "1.10"), world.on_plane("a", "1.50"), 5020)
    slot, _ = meter.accept()
    slot.settimeout(2)
    world.heart["a"].freeze()
    world.own("b")
    with pytest.raises(ConnectionResetError):
        slot.recv(1)


def test_beats_pass_and_a_closed_port_refuses(world: Rig) -> None:
    a = world.datagrams(world.on_plane("a", "1.11"), world.on_plane("a", "1.12"))
    b = world.datagrams(world.on_plane("b", "1.12"), world.on_plane("b", "1.11"))
    a.send(b"beat")
    assert b.recv(64) == b"beat"
    b.send(b"echo")
    assert a.recv(64) == b"echo"
    b.close()
    a.send(b"one")
    time.sleep(0.004)
    a.send(b"two")
    with pytest.raises(ConnectionRefusedError):
        a.recv(1)


def test_the_first_datagram_after_a_heart_died_is_refused(world: Rig) -> None:
    a = world.datagrams(world.on_plane("a", "1.11"), world.on_plane("a", "1.12"))
    b = world.datagrams(world.on_plane("b", "1.12"), world.on_plane("b", "1.11"))
    b.close()
    world.heart["b"].close()
    world.wait(lambda: not world.bench.state()["members"]["b"]["heart"])
    a.send(b"are you there?")
    with pytest.raises(ConnectionRefusedError):
        a.recv(1)


def test_a_cut_refuses_nothing(world: Rig) -> None:
    a = world.datagrams(world.on_plane("a", "1.11"), world.on_plane("a", "1.12"))
    world.bench.cut("power", "b")
    world.heart["b"].close()
    for _ in range(3):
        a.send(b"are you there?")
        assert silent(a, 0.02)


def port(world: Rig, name: str) -> int:
    return os.open(world.run / name, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


def heard(fd: int, wait_s: float = 0.1) -> bytes:
    got, until = b"", time.monotonic() + wait_s
    while time.monotonic() < until:
        try:
            got += os.read(fd, 100)
        except BlockingIOError:
            time.sleep(0.002)
    return got


def test_the_field_line_is_the_closed_contacts(world: Rig) -> None:
    a, b, field = port(world, "bus1-a"), port(world, "bus1-b"), port(world, "bus1-field")
    os.write(a, b"nobody")
    assert heard(field) == b""
    world.close_contact("a")
    os.write(a, b"request")
    os.write(b, b"intruder")
    assert heard(field) == b"request"
    os.write(field, b"reply")
    assert heard(a) == b"reply"
    assert heard(b, 0.01) == b""
    world.bench.cut("power", "a")
    os.write(a, b"dead")
    assert heard(field) == b""
    for fd in (a, b, field):
        os.close(fd)


def test_octets_take_their_time_on_the_crossover(world: Rig) -> None:
    a, b = port(world, "crossover-a"), port(world, "crossover-b")
    beat = bytes(64)
    for _ in range(100):  # an end that was just opened is found after a moment
        os.write(a, b"?")
        if heard(b, 0.03):
            break
    while heard(b, 0.05):
        pass
    began = time.monotonic()
    os.write(a, beat)
    got = b""
    while len(got) < 64 and time.monotonic() - began < 5:
        got += heard(b, 0.001)
    assert got == beat
    assert time.monotonic() - began >= 0.005, "64 octets at 115200 baud take 5.6 ms"
    world.bench.cut("crossover")
    os.write(a, beat)
    assert heard(b, 0.03) == b""
    for fd in (a, b):
        os.close(fd)


def test_nonsense_on_the_control_socket_gets_a_sentence(world: Rig) -> None:
    with pytest.raises(ValueError, match="these can: crossover, power, station, control"):
        world.bench.cut("moon")
    with pytest.raises(ValueError, match="these can: state"):
        world.bench.ask({"do": "dance"})
    assert world.bench.state()["counts"] == {}


def test_every_octet_passes_in_order_when_the_reader_is_slow(world: Rig) -> None:
    world.own("a")
    client, inside = session(world, "a")
    sent = bytes(range(256)) * 20_000
    sender = threading.Thread(target=lambda: (inside.sendall(sent), inside.shutdown(socket.SHUT_WR)))
    sender.start()
    time.sleep(0.2)
    got = bytearray()
    while data := client.recv(50_000):
        got += data
    sender.join()
    assert got == sent
    client.sendall(b"thanks")
    assert inside.recv(10) == b"thanks", "the other direction outlives the first one's end"
