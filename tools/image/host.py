"""What a build or a boot needs of this computer: said, installed where this is root; nothing else is changed."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.image import build, mirror
from tools.image.loader import private_apt
from tools.image.run import Failed, answer, command, say

BUILD = {
    "mmdebstrap": "mmdebstrap",
    "arch-test": "arch-test",
    "genimage": "genimage",
    "mksquashfs": "squashfs-tools",
    "mkfs.ext4": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "mkimage": "u-boot-tools",
    "dtc": "device-tree-compiler",
    "rauc": "rauc",
    "zstd": "zstd",
    "depmod": "kmod",
    "openssl": "openssl",
    "qemu-aarch64-static": "qemu-user-static",
}
BOOT = {"qemu-system-aarch64": "qemu-system-arm", "qemu-img": "qemu-utils", "zstd": "zstd"}
QEMU_LEAST = (9, 1)
BINFMT = Path("/proc/sys/fs/binfmt_misc")
NEWER = ("qemu-user-static", "qemu-system-arm", "qemu-utils")


def missing(needed: dict[str, str]) -> list[str]:
    """Packages whose command is not on the PATH."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return sorted({package for name, package in needed.items() if not shutil.which(name, path=path)})


def qemu_version(text: str) -> tuple[int, int]:
    """Major and minor of what `qemu-system-aarch64 --version` says; (0, 0) where it says none."""
    found = re.search(r"version (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def need(what: dict[str, str], log: Path) -> None:
    """All commands of `what` are there afterwards; Failed with the command that would install them."""
    lacking = missing(what)
    if "qemu-system-aarch64" in what and "qemu-system-arm" not in lacking:
        found = qemu_version(answer(["qemu-system-aarch64", "--version"]))
        if found < QEMU_LEAST:
            lacking += ["qemu-system-arm", "qemu-utils"]
    if not lacking:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Failed(f"this computer lacks {' '.join(lacking)}; install with: sudo apt-get install {' '.join(lacking)}")
    newer = [package for package in lacking if package in NEWER]
    plain = [package for package in lacking if package not in NEWER]
    if plain:
        say(f"running as root: installing with apt-get, system-wide: {' '.join(plain)}")
        env = {"DEBIAN_FRONTEND": "noninteractive"}
        _install(["apt-get"], plain, [], log, env)
    if newer:
        _from_backports(newer, log)


def _install(apt: list[str], packages: list[str], more: list[str], log: Path, env: dict[str, str]) -> None:
    command("package lists", [*apt, "-qq", "update"], log, env)
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    command("packages", [*apt, *wait, "-y", "install", "--no-install-recommends", *more, *packages], log, env)


def _from_backports(packages: list[str], log: Path) -> None:
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.M))
    suite, wanted = release.get("VERSION_CODENAME", ""), " ".join(packages)
    env = {"DEBIAN_FRONTEND": "noninteractive"}
    if release.get("ID") != "debian" or suite != "bookworm":
        say(f"running as root: installing with apt-get, system-wide: {wanted}")
        _install(["apt-get"], packages, [], log, env)
        return
    say(f"running as root: installing from {suite}-backports, system-wide, apt's own lists untouched: {wanted}")
    with tempfile.TemporaryDirectory() as folder:
        lists = private_apt(Path(folder), mirror.find().backports(suite), "amd64")
        shown = lists.read_text().splitlines()
        keep = [line for line in shown if not line.startswith(("Dir::State ", "Dir::State::Status", "APT::Arch"))]
        lists.write_text("\n".join(keep) + "\n")
        _install(["apt-get"], packages, ["-t", f"{suite}-backports"], log, {**env, "APT_CONFIG": str(lists)})


def emulate(log: Path) -> None:
    """Programs for arm64 run here afterwards: binfmt_misc is mounted and qemu-aarch64 registered."""
    if os.uname().machine == "aarch64" or (BINFMT / "qemu-aarch64").exists():
        return
    if os.geteuid() != 0:
        raise Failed("arm64 programs do not run here: install qemu-user-static, and run as root once to register it")
    if not (BINFMT / "register").exists():
        say("mounting binfmt_misc")
        subprocess.run(["mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)], check=True)
    say("registering qemu-aarch64 with the kernel, until the next start of this computer")
    file = "/usr/lib/binfmt.d/qemu-aarch64.conf"
    command("arm64 programs", ["/lib/systemd/systemd-binfmt", file], log)
    if not (BINFMT / "qemu-aarch64").exists():
        raise Failed(f"the kernel did not take {file}: arm64 programs do not run here")


def main() -> int:
    """What booting an image needs is there afterwards: for tests, which install nothing themselves."""
    try:
        need(BOOT, build.cache() / "log/host.log")
    except Failed as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
