"""One member's heart beside a supervisor that only turns, in its namespace."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.namespaces import NET, Site

GROUP, GROUP6, GROUP2 = NET.format(lan=0, host=10), "fd77::10", NET.format(lan=1, host=10)
PORT = 9999
LEASE_S = 0.25
_PATIENT = "dead_after_ms = 400\nsync_lease_ms = 1100\nconfirm_wait_ms = 1300\nlease_ms = 250\nstall_ms = 200\n"
"""Times that a stall of the test machine does not reach; figures are measured elsewhere."""
FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
_BOARD = 'format = 1\nname = "spaces"\ntitle = "network namespaces"\nguardian = "none"\n'
_LAN = """
[lan.{name}]
group = [{group}]
a = {{ interface = "eth{lan}", address = ["10.77.{lan}.11/24", "fd77:{lan}::11/64"] }}
b = {{ interface = "eth{lan}", address = ["10.77.{lan}.12/24", "fd77:{lan}::12/64"] }}
"""


def write_config(folder: Path, standby: str = "", rest: str = "") -> Path:
    """A group of two LANs without masters or slaves but `rest`; returns its folder."""
    folder.mkdir(exist_ok=True)
    lans = _LAN.format(name="station", lan=0, group=f'"{GROUP}/24", "{GROUP6}/64"')
    lans += _LAN.format(name="control", lan=1, group=f'"{GROUP2}/24"')
    text = f'format = 1\n[group]\nname = "spaces"\n{lans}\n[standby]\n{_PATIENT}{standby}\n{rest}'
    (folder / "gateway.toml").write_text(text, encoding="utf-8")
    (folder / "board").mkdir(exist_ok=True)
    (folder / "board" / "board.toml").write_text(_BOARD, encoding="utf-8")
    return folder


class Member:
    """Member a. `start` again after `end` is a restart."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder / "group"
        self.log = folder / "a.log"
        self.supervisor: subprocess.Popen[bytes] | None = None
        self.heart = 0

    def start(self, standby: str = "", served: bool = True, claims: bool = True) -> Member:
        write_config(self.folder, standby)
        words = [sys.executable, str(Path(__file__).with_name("supervised.py")), str(self.folder), "a"]
        words += [str(self.folder / "board"), bytes(range(32)).hex(), *(["claims"] if claims else [])]
        env = {**os.environ, "PYTHONPATH": str(FIRMWARE)}
        with self.log.open("wb") as log:
            self.supervisor = self.site.start("a", *words, stdout=log, stderr=log, env=env)
        self.heart = int(self.wait(lambda: self.words("heart"), "a heart")[0].split()[1])
        if served and claims:
            self.wait(lambda: self.words("Carried"), "the claim")
        return self

    def words(self, begin: str) -> list[str]:
        return [line for line in self.log.read_text().splitlines() if line.startswith(begin)]

    def wait(self, done: Callable[[], Any], what: str, seconds: float = 8.0) -> Any:
        until = time.monotonic() + seconds
        while not (found := done()):
            assert time.monotonic() < until, f"not within {seconds} s: {what}\n{self.log.read_text()}"
            time.sleep(0.01)
        return found

    def send(self, number: int, *, heart: bool = True, supervisor: bool = True) -> None:
        """A signal; the heart first, so that it does not see the other die."""
        if heart:
            os.kill(self.heart, number)
        if supervisor and self.supervisor is not None:
            os.kill(self.supervisor.pid, number)

    def end(self) -> None:
        if self.supervisor is None:
            return
        for number in (signal.SIGCONT, signal.SIGKILL):
            for pid in (self.heart, self.supervisor.pid):
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    pass
        self.supervisor.wait()
        self.supervisor = None
        self.site.run("a", "nft", "flush", "ruleset")
        for lan, ip in ((0, f"{GROUP}/32"), (0, f"{GROUP6}/64"), (1, f"{GROUP2}/32")):
            self.site.run("a", "ip", "addr", "del", ip, "dev", f"eth{lan}")
            self.site.cable("a", lan, True)

    def knock(self, ip: str = GROUP, seconds: float = 0.25) -> str:
        """What comes of a connection from the LAN: "open", or why not."""

        def try_it() -> str:
            with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET) as made:
                made.settimeout(seconds)
                try:
                    made.connect((ip, PORT))
                except TimeoutError:
                    return "silence"
                except OSError as error:
                    return errno.errorcode[error.errno or 0]
                return "open"

        return self.site.within("lan", try_it)

    def forget(self, ip: str = GROUP, lan: int = 0) -> None:
        """The LAN forgets who has an address."""
        self.site.run("lan", "ip", "neigh", "flush", "dev", f"br{lan}")
