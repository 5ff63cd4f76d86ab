"""What the overlays lay over the image's root: units that systemd's own tools judge, and one owner for each file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = sorted(path for path in (ROOT / "overlays").iterdir() if path.is_dir())
UNITS = "usr/lib/systemd/system"
SERVICES = sorted(file for overlay in OVERLAYS for file in (overlay / UNITS).glob("*.service"))
SOCKETS = sorted(file for overlay in OVERLAYS for file in (overlay / UNITS).glob("*.socket"))
MOST_EXPOSED = {
    # Network administration, raw sockets and the end of a hung supervisor are what it is there for.
    "tandem-heart.service": 2.1,
}
"""Of `systemd-analyze security`: 10 is a service without any fence."""
EXPOSED = 2.0
ONCE = frozenset(f"tandem-{name}.service" for name in ("data", "good", "network", "settle", "stick@"))
"""Units of root that run at a start, listen to nobody and end: what they may is what they are for."""


@pytest.fixture(scope="module")
def analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        pytest.skip("systemd-analyze is missing (Debian package systemd): units are not judged")
    return found


@pytest.mark.parametrize("unit", [unit for unit in SERVICES if unit.name not in ONCE], ids=lambda unit: unit.name)
def test_a_service_is_exposed_no_more_than_its_work_asks_for(analyze: str, unit: Path) -> None:
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", str(unit)], capture_output=True, text=True, check=False
    )
    level = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    open_doors = "\n".join(line for line in done.stdout.splitlines() if line.startswith("✗"))
    assert float(level[1]) <= MOST_EXPOSED.get(unit.name, EXPOSED), open_doors


def test_systemd_understands_every_unit(analyze: str, tmp_path: Path) -> None:
    """Programs of the image are replaced by one of this machine; a misspelt key is what is looked for."""
    names = []
    for file in [*SERVICES, *SOCKETS, *(f for o in OVERLAYS for f in (o / UNITS).glob("*.mount"))]:
        text = re.sub(r"^(Exec\w+=[-+!:@]*)/usr/\S+", r"\1/bin/true", file.read_text(), flags=re.MULTILINE)
        (tmp_path / file.name).write_text(text)
        names.append(str(tmp_path / file.name))
    done = subprocess.run(
        [analyze, "verify", "--man=no", "--recursive-errors=no", *names], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if str(tmp_path) in line]
    assert not said, "\n".join(said)


def test_a_file_belongs_to_one_overlay() -> None:
    owners: dict[str, list[str]] = {}
    for overlay in OVERLAYS:
        for file in overlay.rglob("*"):
            if file.is_symlink() or file.is_file():
                owners.setdefault(str(file.relative_to(overlay)), []).append(overlay.name)
    assert {name: who for name, who in owners.items() if len(who) > 1} == {}


def test_what_is_started_at_boot_is_there() -> None:
    for overlay in OVERLAYS:
        for link in (overlay / UNITS).glob("*.wants/*"):
            mine = [o / UNITS / link.name for o in OVERLAYS if (o / UNITS / link.name).exists()]
            assert mine or not link.name.startswith("tandem"), f"{link} names no unit"


def test_shell_programs_of_the_image_are_clean() -> None:
    scripts = [
        str(file)
        for overlay in OVERLAYS
        for file in overlay.rglob("*")
        if file.is_file() and not file.is_symlink() and file.read_bytes().startswith((b"#!/bin/sh", b"#!/bin/bash"))
    ]
    checker = shutil.which("shellcheck") or str(Path(__import__("sys").prefix) / "bin" / "shellcheck")
    done = subprocess.run([checker, *scripts], capture_output=True, text=True, check=False)
    assert scripts and done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("serial", "address", "found"),
    [
        (b"10000000a1b2c3d4\0", "dc:a6:32:01:02:03", "74616e64656d000010000000a1b2c3d4"),
        (b"", "52:54:00:12:34:56", "74616e64656d00000000525400123456"),
        (b"Not Specified\0", "52:54:00:12:34:56", "74616e64656d00000000525400123456"),
        (b"", "", ""),
    ],
)
def test_the_machine_id_is_the_hardwares(tmp_path: Path, serial: bytes, address: str, found: str) -> None:
    """Under dash, with no program but the shell itself: an initial RAM disk has hardly more."""
    script = ROOT / "overlays/readonly/etc/initramfs-tools/scripts/init-bottom/tandem-readonly"
    tree, port = tmp_path / "sys/firmware/devicetree/base", tmp_path / "sys/class/net/eth0"
    for folder in (tree, port, tmp_path / "root/etc", tmp_path / "bin"):
        folder.mkdir(parents=True)
    (tree / "serial-number").write_bytes(serial)
    (port / "address").write_text(address + "\n" if address else "")
    for name in ("mkdir", "mount"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / name).chmod(0o755)
    env = {"PATH": str(tmp_path / "bin"), "rootmnt": str(tmp_path / "root"), "TANDEM_SYS": str(tmp_path / "sys")}
    done = subprocess.run(["/bin/sh", str(script)], env=env, capture_output=True, text=True, check=False)
    made = tmp_path / "root/etc/machine-id"
    assert done.returncode == 0 and done.stderr == ""
    assert (made.read_text().strip() if made.exists() else "") == found
