"""Announcements and probes, octet by octet, and as tshark reads them."""

from __future__ import annotations

import ipaddress
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from tandem.codec import neighbours

MAC = bytes.fromhex("02005e102030")
V4, V6 = ipaddress.ip_address("10.77.0.10").packed, ipaddress.ip_address("fd77::10").packed


def read(frame: bytes, folder: Path, *fields: str) -> list[str]:
    """Fields of a frame as tshark names them; its complaints fail the test."""
    if shutil.which("tshark") is None:
        pytest.skip("peer missing: tshark (apt-get install tshark)")
    file = folder / "one.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    file.write_bytes(head + struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    words = ["tshark", "-n", "-r", str(file), "-T", "fields", "-o", "ipv6.use_geoip:FALSE", "-e", "_ws.expert.message"]
    for field in fields:
        words += ["-e", field]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    complaint, *values = done.stdout.rstrip("\n").split("\t")
    assert "ad checksum" not in complaint and "alformed" not in complaint, complaint
    return values


def test_a_gratuitous_arp_octet_by_octet() -> None:
    request, reply = neighbours.announcements(MAC, V4)
    assert request.hex() == (
        "ffffffffffff02005e1020300806" "0001080006040001" "02005e102030" "0a4d000a" "000000000000" "0a4d000a" + 36 * "0"
    )  # fmt: skip
    assert reply.hex() == (
        "ffffffffffff02005e1020300806" "0001080006040002" "02005e102030" "0a4d000a" "ffffffffffff" "0a4d000a" + 36 * "0"
    )  # fmt: skip
    assert len(request) == len(reply) == 60


def test_an_advertisement_octet_by_octet() -> None:
    (frame,) = neighbours.announcements(MAC, V6)
    group = "fd770000000000000000000000000010"
    assert frame.hex() == (
        "33330000000102005e10203086dd" "60000000" "00203aff" f"{group}" "ff020000000000000000000000000001"
        "8800" + frame[56:58].hex() + "20000000" f"{group}" "020102005e102030"
    )  # fmt: skip


def test_tshark_reads_arps_as_gratuitous(tmp_path: Path) -> None:
    for frame in neighbours.announcements(MAC, V4):
        gratuitous, sender = read(frame, tmp_path, "arp.isgratuitous", "arp.src.proto_ipv4")
        assert gratuitous in ("1", "True") and sender == "10.77.0.10"


def test_tshark_reads_an_advertisement_with_a_good_checksum(tmp_path: Path) -> None:
    fields = ("icmpv6.type", "icmpv6.checksum.status", "icmpv6.nd.na.target_address", "icmpv6.nd.na.flag.o",
              "icmpv6.nd.na.flag.s", "icmpv6.opt.linkaddr", "ipv6.hlim")  # fmt: skip
    (frame,) = neighbours.announcements(MAC, V6)
    kind, checksum, target, override, solicited, mac, hops = read(frame, tmp_path, *fields)
    assert (kind, checksum, target, mac, hops) == ("136", "1", "fd77::10", "02:00:5e:10:20:30", "255")
    assert override in ("1", "True") and solicited in ("0", "False")


def test_tshark_reads_the_probes(tmp_path: Path) -> None:
    fields = ("arp.isprobe", "arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4")
    is_probe, operation, sender, target = read(neighbours.probe(MAC, V4), tmp_path, *fields)
    assert (operation, sender, target) == ("1", "0.0.0.0", "10.77.0.10") and is_probe in ("1", "True")
    target6 = "icmpv6.nd.ns.target_address"
    fields6 = ("icmpv6.type", "icmpv6.checksum.status", target6, "ipv6.src", "ipv6.dst", "eth.dst")
    assert read(neighbours.probe(MAC, V6), tmp_path, *fields6) == [
        "135", "1", "fd77::10", "::", "ff02::1:ff00:10", "33:33:ff:00:00:10",
    ]  # fmt: skip


def test_tshark_reads_the_questions_from_an_own_address(tmp_path: Path) -> None:
    own4, own6 = ipaddress.ip_address("10.77.0.11").packed, ipaddress.ip_address("fd77::11").packed
    fields = ("arp.isprobe", "arp.opcode", "arp.src.proto_ipv4", "arp.dst.proto_ipv4")
    is_probe, *rest = read(neighbours.ask(MAC, own4, V4), tmp_path, *fields)
    assert is_probe in ("", "0", "False") and rest == ["1", "10.77.0.11", "10.77.0.10"]
    target6 = "icmpv6.nd.ns.target_address"
    fields6 = ("icmpv6.type", "icmpv6.checksum.status", target6, "ipv6.src", "ipv6.dst", "icmpv6.opt.linkaddr")
    assert read(neighbours.ask(MAC, own6, V6), tmp_path, *fields6) == [
        "135", "1", "fd77::10", "fd77::11", "ff02::1:ff00:10", "02:00:5e:10:20:30",
    ]  # fmt: skip


def test_whose_address_a_frame_claims() -> None:
    for ip in (V4, V6):
        for frame in neighbours.announcements(MAC, ip):
            assert neighbours.claim(frame) == neighbours.Claim(ip, MAC)
        assert neighbours.claim(neighbours.probe(MAC, ip)) is None, "who asks from nobody claims nothing"
    for size in range(90):
        for frame in (neighbours.announcements(MAC, V4)[0], neighbours.announcements(MAC, V6)[0]):
            neighbours.claim(frame[:size])
