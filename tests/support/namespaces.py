"""Two members' network namespaces on two bridges, and an observer on each bridge: real links, real packets."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

_ETH_P_ALL = 3
_T = TypeVar("_T")
NET = "10.77.{lan}.{host}"
NET6 = "fd77:{lan}::{host}"


def refused() -> str:
    """Why there are no namespaces here, "" where there are."""
    if os.geteuid() != 0:
        return "not root"
    for program in ("ip", "nft"):
        if shutil.which(program) is None:
            return f"no program {program}"
    name = f"tandem-try-{os.getpid()}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if tried.returncode:
        return f"network namespaces are not permitted: {tried.stderr.strip()}"
    made = subprocess.run(["ip", "-n", name, "link", "add", "v0", "type", "veth"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], check=False)
    return f"no veth: {made.stderr.strip()}" if made.returncode else ""


class Frame(NamedTuple):
    """A frame that the observer saw."""

    at: float
    octets: bytes

    @property
    def source(self) -> bytes:
        return self.octets[6:12]


class Site:
    """Namespaces `lan`, `a`, `b`; each member has eth0 and eth1, one on each bridge of `lan`. Hosts: a 11, b 12, 20."""

    def __init__(self) -> None:
        self.prefix = f"t{os.getpid() % 100_000}"
        self.names = {one: f"{self.prefix}{one}" for one in ("lan", "a", "b")}

    def make(self) -> None:
        for name in self.names.values():
            self.ip("netns", "add", name)
            self.ip("-n", name, "link", "set", "lo", "up")
        for lan in (0, 1):
            self.lan("link", "add", f"br{lan}", "type", "bridge")
            self.lan("link", "set", f"br{lan}", "up")
            self._addresses("lan", f"br{lan}", lan, 20)
            for host, member in ((11, "a"), (12, "b")):
                near = f"v{member}{lan}"
                self.lan("link", "add", near, "type", "veth", "peer", "name", f"eth{lan}", "netns", self.names[member])
                self.lan("link", "set", near, "master", f"br{lan}", "up")
                self._addresses(member, f"eth{lan}", lan, host)
                self.ip("-n", self.names[member], "link", "set", f"eth{lan}", "up")

    def _addresses(self, where: str, device: str, lan: int, host: int) -> None:
        name = self.names[where]
        self.ip("-n", name, "addr", "add", NET.format(lan=lan, host=host) + "/24", "dev", device)
        self.ip("-n", name, "addr", "add", NET6.format(lan=lan, host=host) + "/64", "dev", device, "nodad")

    def ip(self, *words: str) -> str:
        done = subprocess.run(["ip", *words], capture_output=True, text=True)
        assert not done.returncode, f"ip {' '.join(words)}: {done.stderr}"
        return done.stdout

    def lan(self, *words: str) -> str:
        return self.ip("-n", self.names["lan"], *words)

    def run(self, where: str, *words: str) -> str:
        """A program in a namespace; its output."""
        done = subprocess.run(["ip", "netns", "exec", self.names[where], *words], capture_output=True, text=True)
        return done.stdout + done.stderr

    def start(self, where: str, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["ip", "netns", "exec", self.names[where], *words], **options)

    def cable(self, member: str, lan: int, plugged: bool) -> None:
        self.lan("link", "set", f"v{member}{lan}", "up" if plugged else "down")

    def addresses(self, member: str) -> str:
        return self.ip("-n", self.names[member], "-br", "addr")

    def mac(self, member: str, lan: int) -> bytes:
        words = self.ip("-n", self.names[member], "-br", "link", "show", f"eth{lan}").split()
        return bytes.fromhex(words[2].replace(":", ""))

    def within(self, where: str, do: Callable[[], _T]) -> _T:
        """Call it in a thread that lives in the namespace: a socket that it makes stays there."""
        found: list[_T] = []

        def inside() -> None:
            with open(f"/run/netns/{self.names[where]}") as space:
                _enter(space.fileno())
            found.append(do())

        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        return found[0]

    def close(self) -> None:
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _enter(fd: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(fd, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


class Observer:
    """Keeps every frame of a bridge's port: what the member behind it sends, nothing else."""

    def __init__(self, site: Site, member: str, lan: int) -> None:
        self.mac = site.mac(member, lan)
        device = f"v{member}{lan}"

        def listen() -> socket.socket:
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
            made.bind((device, _ETH_P_ALL))
            return made

        self.socket = site.within("lan", listen)
        self.socket.setblocking(False)

    def frames(self, seconds: float = 0.0) -> list[Frame]:
        """What the member sent since the last call, after waiting so long."""
        time.sleep(seconds)
        found = []
        while select.select([self.socket], [], [], 0)[0]:
            octets = self.socket.recv(2048)
            if octets[6:12] == self.mac:
                found.append(Frame(time.monotonic(), octets))
        return found

    def close(self) -> None:
        self.socket.close()


@contextmanager
def site() -> Iterator[Site]:
    """The namespaces, removed at the end."""
    made = Site()
    try:
        made.make()
        yield made
    finally:
        made.close()


def answers_for(frames: list[Frame], ip: str) -> list[Frame]:
    """Frames that speak for an address, save TCP resets."""
    octets = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    return [frame for frame in frames if _speaks(frame.octets, octets)]


def _speaks(frame: bytes, ip: bytes) -> bool:
    kind = frame[12:14]
    if kind == b"\x08\x00" and len(ip) == 4:
        reset = frame[23] == 6 and frame[14 + 4 * (frame[14] & 15) + 13] & 4
        return frame[26:30] == ip and not reset
    if kind == b"\x08\x06" and len(ip) == 4:
        return frame[28:32] == ip
    if kind == b"\x86\xdd" and len(ip) == 16:
        advertised = frame[20] == 58 and frame[54] == 136 and frame[62:78] == ip
        return frame[22:38] == ip or advertised
    return False
