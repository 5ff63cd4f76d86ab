"""Strangers at every door: a sentence, a count, and neither a crash nor a change of role."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.codec.beat import Beat, Kind, Role, Seal
from tandem.codec.iec60870 import apci
from tandem.manage.pair import pair
from tests.support.center import dial
from tests.support.pair_rig import Group
from tools.bench.plan import raised

STARTDT = bytes.fromhex("680407000000")


def link_address(group: Group) -> tuple[str, int]:
    """Where member a listens for the hot-standby link, in its own plane: as a stranger on its LAN finds it."""
    own = group.config.lan("station").members["a"].addresses[0].ip
    return raised(own, 100), 4720


def intruders(group: Group) -> float:
    return group.value("a", "_sys.link.intruders") or 0.0


def test_plain_rubbish_at_the_hot_standby_port(group: Group) -> None:
    group.roles()
    mark, before = group.mark(), intruders(group)
    with group.no_role_change():
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n", bytes(300), b"\x16\x03\x01" + b"\xff" * 400):
            with socket.create_connection(link_address(group), 5) as sock:
                sock.sendall(rubbish)
                sock.settimeout(5)
                while _read(sock):
                    pass
        group.says("a", mark, "a stranger at the hot-standby port was refused")
        group.wait(lambda: intruders(group) >= before + 3, "each is counted")
        assert group.members["a"].status()["in_sync"], "the link goes on"


def test_a_foreign_certificate_at_the_hot_standby_port(group: Group, tmp_path: Path) -> None:
    group.roles()
    pair(tmp_path / "x", tmp_path / "y", "another group")
    foreign = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    foreign.check_hostname, foreign.verify_mode = False, ssl.CERT_NONE
    foreign.load_cert_chain(tmp_path / "x/keys/own.crt", tmp_path / "x/keys/own.key")
    mark, before = group.mark(), intruders(group)
    with group.no_role_change():
        with socket.create_connection(link_address(group), 5) as plain, foreign.wrap_socket(plain) as sock:
            sock.settimeout(5)
            assert not _read(sock), "nothing is said to a stranger"
        group.says("a", mark, "a stranger at the hot-standby port was refused", "TLS")
        group.wait(lambda: intruders(group) > before, "it is counted")


def test_who_says_nothing_at_the_hot_standby_port_is_not_waited_for(group: Group) -> None:
    group.roles()
    mark = group.mark()
    silent = [socket.create_connection(link_address(group), 5) for _ in range(20)]
    try:
        with group.no_role_change():
            group.says("a", mark, "too many at once do not say who they are")
            assert "no TLS handshake in 3 s" in group.says("a", mark, "no TLS")
    finally:
        for sock in silent:
            sock.close()
    group.wait(lambda: group.members["a"].status().get("in_sync"), "in sync")


def _read(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except OSError:
        return b""


# --- beats ------------------------------------------------------------------------------------------------------------


def test_forged_beats_move_nothing(group: Group) -> None:
    """A beat with a wrong key that claims to be an active, and a release that nobody signed."""
    active, standby = group.roles()
    before = group.value(standby, "_sys.beat.intruders") or 0.0
    seal = Seal(b"x" * 32)
    epoch = int(group.members[active].status()["epoch"])
    with group.no_role_change():
        kinds = (Kind.BEAT, Kind.RELEASED_SERVICE, Kind.RELEASED_LINES)
        claims = [
            Beat(kind, int(active == "b"), Role.ACTIVE, 255, 0xFF, 7, n + 1, 1, 1, epoch + 100, 0, 1, 1)
            for n in range(50)
            for kind in kinds
        ]
        group.inject(standby, [b"\xb7\x54" + bytes(56), b"", b"x" * 1400, *map(seal.pack, claims)])
        group.wait(lambda: (group.value(standby, "_sys.beat.intruders") or 0) >= before + 100, "they are counted")
        assert "ignored" in group.says(standby, {}, "heartbeat paths were forged or sent again")


def test_replayed_beats_move_nothing(group: Group) -> None:
    """The active's own signed beats, recorded and sent again seconds later, a hundred times."""
    active, standby = group.roles()
    before = group.value(standby, "_sys.beat.intruders") or 0.0
    recorded = group.record_beats(active, 30)
    assert len(recorded) == 30
    time.sleep(3)
    with group.no_role_change():
        group.inject(standby, recorded * 4)
        group.wait(lambda: (group.value(standby, "_sys.beat.intruders") or 0) >= before + 30, "they are counted")


def test_a_forged_reset_of_the_link_is_a_new_link(group: Group) -> None:
    """Both ends of the hot-standby connection get a reset: it is dialed anew, and the pair is in sync again."""
    active, _ = group.roles()
    mark = group.mark()
    with group.no_role_change():
        assert group.bench.ask({"do": "reset"})["flows"] >= 1
        group.says("b", mark, "the hot-standby link ended")
        group.says(active, mark, "The mirror resumes")
        group.wait_ready()


# --- control centers --------------------------------------------------------------------------------------------------


def _wrong_ns() -> bytes:
    return STARTDT + apci.i_frame(bytes.fromhex("64010600 2f00 000000 14".replace(" ", "")), 5, 0)


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (lambda: b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", ("closed",)),
        (lambda: bytes(500), ("closed",)),
        (lambda: b"\x68\x01\x00", ("closed",)),
        (lambda: b"\x68\xff" + b"\xff" * 300, ("closed",)),
        (_wrong_ns, ("N(S) = 5, expected is 0",)),
        (lambda: STARTDT + apci.s_frame(20000), ("N(R) = 20000",)),
    ],
    ids=["http", "zeros", "short", "long", "wrong N(S)", "wrong N(R)"],
)
def test_a_center_that_breaks_the_protocol(group: Group, octets: Callable[[], bytes], words: tuple[str, ...]) -> None:
    active, _ = group.roles()
    mark = group.mark()
    own = group.config.lan("control").members[active].addresses[0].ip
    point = "_sys.center.probe.broken"
    before = group.value(active, point) or 0.0
    with group.no_role_change():
        with dial(own, group.served.port, group.probe_address, 5) as sock:
            sock.sendall(octets())
            while _read(sock):
                pass
        group.says(active, mark, "the connection of control center probe is closed", *words)
        group.wait(lambda: (group.value(active, point) or 0) > before, "it is counted")
    group.wait(lambda: group.probe({"do": "state"}).get("answered"), "the true center is served")


def test_an_asdu_that_makes_no_sense_is_ignored_and_said(group: Group) -> None:
    active, _ = group.roles()
    mark = group.mark()
    own = group.config.lan("control").members[active].addresses[0].ip
    with group.no_role_change(), dial(own, group.served.port, group.probe_address, 5) as sock:
        sock.sendall(STARTDT + apci.i_frame(b"\x2d\x7f\xff", 0, 0))
        assert group.probe_address in group.says(active, mark, "an ASDU of", "was ignored")


def test_a_host_that_no_center_names_is_refused(group: Group) -> None:
    active, _ = group.roles()
    mark, before = group.mark(), group.value(active, "_sys.slave.scada.intruders") or 0.0
    own = group.config.lan("control").members[active].addresses[0].ip
    with group.no_role_change():
        stranger = group.probe_address.rpartition(".")[0] + ".99"
        try:
            with dial(own, group.served.port, stranger, 5) as sock:
                assert not _read(sock)
        except ConnectionResetError:
            pass  # the refusal was faster than the caller
        group.says(active, mark, stranger, "refused")
        group.wait(lambda: (group.value(active, "_sys.slave.scada.intruders") or 0) > before, "it is counted")
