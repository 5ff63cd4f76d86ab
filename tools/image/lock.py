"""The lock of Debian packages: what a build found, written once, held to by every build after it."""

from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent / "debian.lock"

HEAD = """\
# Every Debian package of the image with its version, written by `./build.sh image --renew` and held to by every build.
# The first line is the time that files made by a build carry, in seconds since 1970.
"""


@dataclass(frozen=True)
class Lock:
    """Versions by package name, and the build time that makes two builds the same."""

    epoch: int
    versions: dict[str, str]

    def text(self) -> str:
        """The file, sorted, one `name=version` a line."""
        lines = [f"epoch={self.epoch}", *(f"{name}={self.versions[name]}" for name in sorted(self.versions))]
        return HEAD + "\n".join(lines) + "\n"

    def preferences(self) -> str:
        """apt's preferences that choose these versions and no others."""
        return "".join(
            f"Package: {name}\nPin: version {version}\nPin-Priority: 1001\n\n"
            for name, version in sorted(self.versions.items())
        )


def parse(text: str) -> Lock:
    """The lock that `text` is; ValueError with the line that is none."""
    epoch, versions = 0, {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, equals, version = line.partition("=")
        if not equals or not version:
            raise ValueError(f"{FILE.name} line {number}: '{line}' is no name=version")
        if name == "epoch":
            epoch = int(version)
        else:
            versions[name] = version
    return Lock(epoch, versions)


def read(file: Path = FILE) -> Lock | None:
    """The lock of this tree, or None where none was written yet."""
    return parse(file.read_text()) if file.exists() else None


def gone(lock: dict[str, str], madison: str) -> list[str]:
    """One sentence for each package whose version is not among those that `apt-cache madison` printed."""
    offered: dict[str, list[str]] = {}
    for line in madison.splitlines():
        name, version, *_ = (part.strip() for part in line.split("|"))
        offered.setdefault(name, []).append(version)
    return [
        f"{name} is offered as {', '.join(dict.fromkeys(offered.get(name, ['nothing'])))}, and the lock says {version}"
        for name, version in sorted(lock.items())
        if version not in offered.get(name, [])
    ]


def refusal(wrong: list[str]) -> str:
    """What a person is told whose archive has moved on."""
    return (
        f"what Debian offers is not what {FILE.name} says:\n  " + "\n  ".join(wrong) + "\nEither set "
        "DEBIAN_MIRROR to an archive that still has these versions, or take the new ones: ./build.sh image --renew"
    )


def differences(lock: dict[str, str], found: dict[str, str]) -> list[str]:
    """One sentence for each package that is not as the lock says; none is agreement."""
    said = []
    for name in sorted(lock.keys() | found.keys()):
        if name not in found:
            said.append(f"{name} {lock[name]} is in the lock and was not installed")
        elif name not in lock:
            said.append(f"{name} {found[name]} was installed and is not in the lock")
        elif lock[name] != found[name]:
            said.append(f"{name} is {found[name]}, and the lock says {lock[name]}")
    return said
