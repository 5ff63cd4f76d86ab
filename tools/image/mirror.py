"""Where Debian comes from: DEBIAN_MIRROR, or what this host's own apt is told; no mirror's name stands in this tree."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class NoMirror(Exception):
    """A sentence: neither the environment nor apt's configuration names a Debian mirror, and what to set."""


@dataclass(frozen=True)
class Mirror:
    """Base addresses of Debian and of its security archive, without a slash at the end."""

    main: str
    security: str

    def sources(self, suite: str, components: str = "main") -> str:
        """Lines of a sources.list for `suite` with its updates and security."""
        signed = f"[signed-by={KEYRING}]"
        return (
            f"deb {signed} {self.main} {suite} {components}\n"
            f"deb {signed} {self.main} {suite}-updates {components}\n"
            f"deb {signed} {self.security} {suite}-security {components}\n"
        )

    def backports(self, suite: str) -> str:
        """Lines of a sources.list for `suite` and its backports, for what this host needs newer than it has."""
        signed = f"[signed-by={KEYRING}]"
        return f"deb {signed} {self.main} {suite} main\ndeb {signed} {self.main} {suite}-backports main\n"


def addresses(text: str) -> list[str]:
    """Every address that a sources file names, in either of apt's formats, comments left out."""
    found = []
    for raw in text.splitlines():
        line = raw.split("#", 1)[0].strip()
        if line.startswith("URIs:"):
            found += line.split()[1:]
        elif line.startswith("deb "):
            found += re.findall(r"(?:https?|file|copy|mirror\+\w+|mirror)://?\S+", line)[:1]
    return [address.rstrip("/") for address in found]


def _configured(root: Path) -> list[str]:
    files = [root / "etc/apt/sources.list"]
    folder = root / "etc/apt/sources.list.d"
    if folder.is_dir():
        files += sorted(file for file in folder.iterdir() if file.suffix in (".list", ".sources"))
    return [address for file in files if file.is_file() for address in addresses(file.read_text(errors="replace"))]


def find(environment: "os._Environ[str] | dict[str, str]" = os.environ, root: Path = Path("/")) -> Mirror:
    """The mirror to use; NoMirror if nothing names one. DEBIAN_SECURITY_MIRROR names the other archive."""
    configured = _configured(root)
    main = environment.get("DEBIAN_MIRROR") or next((it for it in configured if it.endswith("/debian")), None)
    security = environment.get("DEBIAN_SECURITY_MIRROR") or next(
        (it for it in configured if it.endswith("/debian-security")), None
    )
    if main is None:
        raise NoMirror("this host's apt names no Debian mirror: set DEBIAN_MIRROR, an address that ends in /debian")
    main = main.rstrip("/")
    if security is None:
        security = f"{main}-security"
    return Mirror(main, security.rstrip("/"))
