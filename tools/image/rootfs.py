"""The root file system as Debian has it: mmdebstrap into one archive, package versions as the lock says."""

import os
import shutil
from pathlib import Path

from tools.image import lock as locks
from tools.image.mirror import Mirror
from tools.image.run import Failed, answer, command

SUITE = "trixie"
HERE = Path(__file__).parent

LEFT_OUT = (
    "/usr/share/man/*",
    "/usr/share/info/*",
    "/usr/share/locale/*",
    "/usr/share/doc/*",
    "/usr/share/lintian/*",
    "/usr/share/bug/*",
    "/usr/lib/linux-image-*/*",
)
KEPT = ("/usr/share/doc/*/copyright", "/usr/lib/linux-image-*/broadcom/*")

# One initial RAM disk is made at the end, in a step of its own: under emulation each takes minutes.
HOLD_INITRAMFS = (
    'chroot "$1" dpkg-divert --quiet --local --rename --divert /usr/sbin/update-initramfs.later'
    ' --add /usr/sbin/update-initramfs && ln -s /bin/true "$1/usr/sbin/update-initramfs"'
)
LET_INITRAMFS = (
    'rm "$1/usr/sbin/update-initramfs" && chroot "$1" dpkg-divert --quiet --local --rename'
    " --divert /usr/sbin/update-initramfs.later --remove /usr/sbin/update-initramfs"
)
# What differs from one build to the next and serves nobody in an image.
SWEEP = (
    'cd "$1" && rm -rf var/lib/apt/lists var/cache/apt var/cache/debconf var/cache/ldconfig var/log'
    " var/lib/systemd/catalog var/lib/dpkg/*-old etc/*- etc/ssh/ssh_host_* etc/apt/sources.list"
    " etc/apt/preferences.d/lock etc/resolv.conf etc/hostname var/lib/systemd/random-seed"
    " && mkdir -p var/log var/cache && : >etc/machine-id && rm -f var/lib/dbus/machine-id"
)


def wanted() -> list[str]:
    """The packages asked for, in the file's order."""
    return lines(HERE / "packages.txt")


def lines(file: Path) -> list[str]:
    """A list in a file: one word a line, comments and empty lines left out."""
    stripped = (line.split("#", 1)[0].strip() for line in file.read_text().splitlines())
    return [line for line in stripped if line]


def build(out: Path, mirror: Mirror, lock: locks.Lock | None, epoch: int, log: Path) -> dict[str, str]:
    """Write the archive `out` (a tar) and return the installed versions; the lock's, where there is one."""
    work = out.parent / "rootfs.work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(mirror.sources(SUITE))
    found = work / "versions"
    words: list[object] = ["mmdebstrap", "--arch=arm64", "--variant=minbase", "--mode=root"]
    words += ["--aptopt=Acquire::Languages \"none\"", "--aptopt=Apt::Install-Recommends \"false\""]
    words += [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
    words += [f"--dpkgopt=path-include={path}" for path in KEPT]
    if lock:
        pins = work / "preferences"
        pins.write_text(lock.preferences())
        words += [f"--setup-hook=mkdir -p \"$1/etc/apt/preferences.d\" && cp {pins} \"$1/etc/apt/preferences.d/lock\""]
    words += [f"--include={','.join(wanted())}", f"--essential-hook={HOLD_INITRAMFS}"]
    query = "dpkg-query --admindir=\"$1/var/lib/dpkg\" --show --showformat='${Package}=${Version}\\n'"
    words += [f"--customize-hook={query} >{found}", f"--customize-hook={LET_INITRAMFS}", f"--customize-hook={SWEEP}"]
    fresh = out.with_suffix(".new.tar")
    words += [SUITE, fresh, sources]
    command(
        "root file system from Debian packages (minutes: its scripts run as emulated arm64)",
        words,
        log,
        {"SOURCE_DATE_EPOCH": str(epoch), "INITRD": "No", "DEBIAN_FRONTEND": "noninteractive"},
    )
    versions = dict(line.split("=", 1) for line in found.read_text().split())
    if not versions:
        raise Failed(f"mmdebstrap left no list of packages; its log is {log}")
    os.replace(fresh, out)
    shutil.rmtree(work)
    return versions


def unpack(archive: Path, folder: Path, log: Path) -> None:
    """Lay the archive out in `folder`, made anew, owners and all."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command("root file system unpacked", ["tar", "-C", folder, "--numeric-owner", "-xpf", archive], log)


def kernel(folder: Path) -> str:
    """The one kernel release in an unpacked root; Failed if there is none or more than one."""
    found = sorted(path.name for path in (folder / "usr/lib/modules").iterdir() if path.is_dir())
    if len(found) != 1:
        raise Failed(f"one kernel is expected in the root file system, and there are: {', '.join(found) or 'none'}")
    return found[0]


def owner_of(package: str, mirror_lists: dict[str, str]) -> str:
    """The version that apt would take of a package under a private configuration; Failed if it knows none."""
    said = answer(["apt-cache", "policy", package], mirror_lists)
    for line in said.splitlines():
        if line.strip().startswith("Candidate:"):
            return line.split(":", 1)[1].strip()
    raise Failed(f"apt knows no package {package}")
