"""Python packages for the image: wheels for the target alone, versions and hashes from the lock that the tests use."""

import re
import shutil
import sys
from pathlib import Path

from tools.image.board import ROOT
from tools.image.run import command
from tools.image.step import hash_file

LOCK = ROOT / "requirements-dev.txt"
NEEDED = ("cffi", "cryptography", "lgpio", "netifaces-plus", "pycparser", "pyserial", "rpi-lgpio")
PYTHON = "3.13"
PLATFORMS = ("manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64", "manylinux_2_34_aarch64")
HASHES = Path(__file__).parent / "wheels.lock"

# The same module under another name: the lock's own has no wheel for the image's Python.
OTHER_NAME = {"lgpio": "adafruit-lgpio"}


def pins(text: str) -> dict[str, str]:
    """Version by name for the packages that the image needs; ValueError naming what the lock lacks."""
    found = {}
    for line in text.splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)==([^\s;\\]+)", line)
        if match and match[1].lower().replace("_", "-") in NEEDED:
            found[match[1].lower().replace("_", "-")] = match[2]
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise ValueError(f"{LOCK.name} has no version of {', '.join(missing)}, and the image needs it")
    return found


def hashes(text: str) -> dict[str, str]:
    """SHA-256 by the wheel's file name, as wheels.lock has them."""
    pairs = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return {name: value for value, name in pairs}


def differences(lock: dict[str, str], folder: Path) -> list[str]:
    """One sentence for each wheel that is not the lock's."""
    there = {file.name: hash_file(file) for file in sorted(folder.glob("*.whl"))}
    said = [f"{name} is in {HASHES.name} and was not offered" for name in sorted(lock.keys() - there.keys())]
    for name, value in there.items():
        if name not in lock:
            said.append(f"{name} is not in {HASHES.name}")
        elif lock[name] != value:
            said.append(f"{name} has other octets than {HASHES.name} says")
    return said


def write_lock(folder: Path) -> None:
    """Make wheels.lock from the wheels in a folder."""
    lines = [f"{hash_file(file)}  {file.name}" for file in sorted(folder.glob("*.whl"))]
    head = "# SHA-256 of the image's wheels, of the versions in requirements-dev.txt. From a build with --renew.\n"
    HASHES.write_text(head + "\n".join(lines) + "\n")


def fetch(folder: Path, log: Path) -> None:
    """Download the wheels into `folder`, made anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    wanted = [f"{OTHER_NAME.get(name, name)}=={version}" for name, version in pins(LOCK.read_text()).items()]
    words: list[object] = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    words += ["--no-deps", "--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp"]
    words += ["--abi", "cp313", "--abi", "abi3", "--abi", "none", "--dest", folder]
    words += [word for platform in PLATFORMS for word in ("--platform", platform)]
    command("Python wheels for arm64", [*words, *wanted], log)


def install(folder: Path, target: Path, log: Path) -> None:
    """Lay the wheels out in `target`: by name, since of files by path pip would write down where they lay."""
    wanted = ["==".join(wheel.name.split("-")[:2]) for wheel in sorted(folder.glob("*.whl"))]
    words: list[object] = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    words += ["--no-deps", "--no-index", "--no-compile", "--only-binary=:all:", "--python-version", PYTHON]
    words += ["--ignore-requires-python"]
    words += ["--implementation", "cp", "--abi", "cp313", "--abi", "abi3", "--abi", "none", "--target", target]
    words += [word for platform in PLATFORMS for word in ("--platform", platform)]
    command("Python packages installed", [*words, "--find-links", folder, *wanted], log)
    shutil.rmtree(target / "bin", ignore_errors=True)
