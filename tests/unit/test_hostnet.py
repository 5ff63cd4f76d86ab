"""What the operating system is told of a group: addresses, doors, time; judged by nft itself where it is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tandem.__main__ import main
from tandem.config import hostnet
from tandem.config.load import parse_group
from tandem.config.model import Config

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "tools" / "example-group"
GROUP = """format = 1
[group]
name = "g"
[lan.one]
group = "10.1.1.10/24"
a = { interface = "eth0", address = "10.1.1.11/24" }
b = { interface = "eth0", address = "10.1.1.12/24" }
router = "10.1.1.1"
routes = [{ to = "10.9.0.0/16", via = "10.1.1.2" }]
[lan.two]
group = ["10.2.2.10/24", "fd00:2::10/64"]
a = { interface = "eth1", address = ["10.2.2.11/24", "fd00:2::11/64"] }
b = { interface = "eth1", address = ["10.2.2.12/24", "fd00:2::12/64"] }
vlan = 12
[standby]
arbitration = "software"
paths = ["lan.one", "lan.two"]
[time]
sources = ["ntp"]
ntp = ["10.1.1.200"]
"""


def parsed(text: str = GROUP) -> Config:
    config, findings = parse_group({"gateway.toml": text})
    assert config is not None, findings
    return config


def test_a_member_has_its_own_addresses_and_never_the_groups() -> None:
    files = hostnet.networkd(parsed(), "b")
    assert sorted(files) == [
        "10-tandem-eth0.network", "10-tandem-eth1.12.netdev", "10-tandem-eth1.12.network", "10-tandem-eth1.network"
    ]  # fmt: skip
    whole = "".join(files.values())
    assert "10.1.1.12/24" in files["10-tandem-eth0.network"] and "10.1.1.10" not in whole and "10.1.1.11" not in whole
    assert "Destination=0.0.0.0/0\nGateway=10.1.1.1" in files["10-tandem-eth0.network"]
    assert "Destination=10.9.0.0/16\nGateway=10.1.1.2" in files["10-tandem-eth0.network"]
    assert "VLAN=eth1.12" in files["10-tandem-eth1.network"] and "[Address]" not in files["10-tandem-eth1.network"]
    assert "fd00:2::12/64" in files["10-tandem-eth1.12.network"] and "Id=12" in files["10-tandem-eth1.12.netdev"]


def test_doors_are_open_to_the_peer_and_to_the_centers_alone() -> None:
    text = hostnet.doors(parsed(), "a", people=False)
    assert "peer { 10.1.1.12, 10.2.2.12 }" in text and "peer6 { fd00:2::12 }" in text
    assert "add element inet tandem_doors doors" not in text and "add element inet tandem_doors people" not in text
    open_to_people = hostnet.doors(parsed(), "a", people=True)
    assert "people { 10.1.1.0/24, 10.2.2.0/24 }" in open_to_people


def test_nft_takes_the_doors_of_the_example(tmp_path: Path) -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft is missing (Debian package nftables): the firewall's rules are not judged")
    texts = {file.name: file.read_text() for file in EXAMPLE.iterdir() if file.suffix in (".toml", ".csv")}
    config, findings = parse_group(texts)
    assert config is not None, findings
    elements = hostnet.doors(config, "a", people=True)
    assert "127.0.0.1/32 . 2404" in elements
    rules = (ROOT / "overlays/network/etc/nftables.conf").read_text() + "\n" + elements
    (tmp_path / "all.nft").write_text(rules)
    done = subprocess.run(
        ["unshare", "-Urn", "nft", "-c", "-f", str(tmp_path / "all.nft")], capture_output=True, text=True, check=False
    )
    if "Operation not permitted" in done.stderr:
        pytest.skip("network namespaces are not permitted here: the firewall's rules are not judged")
    assert done.returncode == 0, done.stderr


def test_the_verb_writes_for_this_member_and_touches_only_what_changed(tmp_path: Path) -> None:
    board = tmp_path / "board"
    board.mkdir()
    (board / "board.toml").write_text((ROOT / "board/qemu-virt/board.toml").read_text())
    group, out, networkd = tmp_path / "group", tmp_path / "out", tmp_path / "networkd"
    group.mkdir()
    networkd.mkdir()
    (group / "gateway.toml").write_text(GROUP)
    (networkd / "10-tandem-eth7.network").write_text("of another configuration")
    (networkd / "20-others.network").write_text("not ours")
    words = ["network", "--config", str(group), "--state", str(tmp_path / "state"), "--member", "a"]
    words += ["--board", str(board), "--networkd", str(networkd), "--out", str(out)]
    assert main(words) == 0
    assert "server 10.1.1.200 iburst" in (out / "chrony/tandem.sources").read_text()
    assert not (networkd / "10-tandem-eth7.network").exists() and (networkd / "20-others.network").exists()
    assert (out / "group.addresses").read_text() == "10.1.1.10/32 eth0\n10.2.2.10/32 eth1.12\nfd00:2::10/64 eth1.12\n"
    before = (networkd / "10-tandem-eth0.network").stat().st_mtime_ns
    (tmp_path / "ssh").write_text("yes")
    assert main([*words, "--ssh", str(tmp_path / "ssh")]) == 0
    assert (networkd / "10-tandem-eth0.network").stat().st_mtime_ns == before
    assert "people {" in (out / "doors.nft").read_text()
    (group / "gateway.toml").write_text("nonsense")
    assert main(words) == 1 and "people {" in (out / "doors.nft").read_text(), "a fault changes nothing"
