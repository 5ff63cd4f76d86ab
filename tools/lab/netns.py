"""Network namespaces of this machine: made, entered, swept. Linux and root (or CAP_SYS_ADMIN) only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench.group import free_octet
from tools.bench.processes import enter, send

PLACE = Path("/run/netns")
_OURS = re.compile(r"tandem-(\d+)-[a-z]+")
_SWEEPS = 3


class NotPermitted(OSError):
    """Namespaces cannot be had here; the sentence says why and what would help."""


def place(name: str) -> str:
    """The file that stands for a namespace."""
    return str(PLACE / name)


def trouble() -> str:
    """Why there can be no laboratory here, "" where there can."""
    for command in ("ip", "nft"):
        if not any(os.access(f"{folder}/{command}", os.X_OK) for folder in ("/usr/sbin", "/sbin", "/usr/bin")):
            return f"there is no {command} here: sudo apt-get install iproute2 nftables"
    if os.geteuid() != 0:
        return "network namespaces need root here: run it with sudo"
    name = f"tandem-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"this machine makes no network namespace: {made.stderr.strip()}"
    link = ["ip", "-n", name, "link", "add", "x", "type", "veth", "peer", "name", "y"]
    linked = subprocess.run(link, capture_output=True, text=True, check=False)
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return f"this kernel makes no veth pair: {linked.stderr.strip()}" if linked.returncode else ""


def ip(lines: Iterable[str], inside: str = "") -> None:
    """Words of ip(8), one a line, in one process. Raises NotPermitted with its complaint."""
    command = ["ip", *(["-n", inside] if inside else []), "-batch", "-"]
    done = subprocess.run(command, input="\n".join(lines) + "\n", capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotPermitted(f"ip(8) in {inside or 'this namespace'}: {done.stderr.strip() or done.stdout.strip()}")


@contextmanager
def within(name: str) -> Iterator[None]:
    """This thread is in a namespace: a socket made now belongs there for good. Raises OSError."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter(place(name))
        yield
        enter(f"/proc/self/fd/{own}")
    finally:
        os.close(own)


def here(octet: int | None = None) -> list[str]:
    """The laboratory's namespaces, of one octet or of all."""
    if not PLACE.is_dir():
        return []
    found = [(m, path.name) for path in sorted(PLACE.iterdir()) if (m := _OURS.fullmatch(path.name))]
    return [name for m, name in found if octet is None or int(m[1]) == octet]


def sweep(octet: int) -> list[str]:
    """End what runs in an octet's namespaces and remove them; returns their names."""
    names = here(octet)
    for name in names:
        for _ in range(_SWEEPS):
            told = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False)
            if not told.stdout.split():
                break
            for pid in told.stdout.split():
                if int(pid) != os.getpid():
                    send(int(pid), signal.SIGKILL)
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return names


def clean() -> list[str]:
    """Sweep every laboratory that nobody runs any more; returns the names."""
    swept: list[str] = []
    for number in sorted({int(m[1]) for name in here() if (m := _OURS.fullmatch(name))}):
        try:
            octet = free_octet(number)
        except OSError:
            continue  # somebody is at work there
        swept += sweep(number)
        octet.close()
    return swept
