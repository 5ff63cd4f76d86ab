"""A person at the serial console of a machine in QEMU: reads, types, answers the first boot's questions, logs in."""

from __future__ import annotations

import fcntl
import json
import os
import re
import threading
import time

import pexpect
import pexpect.fdpexpect

from tools.image.qemu import Machine, connect

BOOT_S = 600
WAIT_S = 180
LOGIN_S = 120
_KEPT_OCTETS = 1 << 20
PASSWORD = "four plain words here"
PROMPT = r"tandem> "


class Console:
    """One console; every wait ends with what was seen last when it is in vain."""

    def __init__(self, machine: Machine) -> None:
        self._door = connect(machine.plan.place("console"))
        heard, self._heard = os.pipe()
        fcntl.fcntl(self._heard, fcntl.F_SETPIPE_SZ, _KEPT_OCTETS)
        self.talk = pexpect.fdpexpect.fdspawn(heard, encoding="utf-8", codec_errors="replace", timeout=WAIT_S)
        threading.Thread(target=self._listen, name=f"console of {machine.plan.name}", daemon=True).start()

    def _listen(self) -> None:
        """Always: QEMU waits for whoever does not read, and the machine stands still meanwhile."""
        try:
            while octets := self._door.recv(65536):
                os.write(self._heard, octets)
        except OSError:
            pass

    def until(self, *patterns: str | type[pexpect.TIMEOUT], seconds: float = WAIT_S) -> int:
        """Wait for one of the patterns; which."""
        return int(self.talk.expect(list(patterns), timeout=seconds))

    def type(self, line: str) -> None:
        """A line and its return."""
        self._door.sendall(line.encode() + b"\r")

    def ask(self, line: str) -> str:
        """What the login says to a line."""
        self.type(line)
        self.until(PROMPT)
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", str(self.talk.before)).replace("\r", "")

    def paste(self, text: str) -> None:
        """gateway.toml, line by line as a terminal sends it, and the full stop."""
        for line in text.splitlines():
            self.type(line)
        self.type(".")

    def first_boot(self, member: str, group: dict[str, str]) -> None:
        """Answer up to the pairing; `group` is gateway.toml and its lists, or nothing to have it from the peer."""
        self.until(r"a or b\? ", seconds=BOOT_S)
        self.type(member)
        self.until("Number: ")
        if group:
            self.type("2")
            for _ in group:
                self.until(r"Paste (\S+), then a line with a full stop alone:")
                self.paste(group[str(self.talk.match.group(1))])
        else:
            self.type("4")
        self.until("not shown")
        self.type(PASSWORD)
        self.until("same again: ")
        self.type(PASSWORD)
        self.until(r"or later\) ")

    def log_in(self) -> None:
        """As `engineer`, or as who is logged in already. A login that is just being prepared forgets what was typed."""
        end = time.monotonic() + BOOT_S
        while time.monotonic() < end:
            state = self.until("login: $", PROMPT + "$", pexpect.TIMEOUT, seconds=5)
            if state == 1:
                return
            if state == 0:
                self._think()
                self.type("engineer")
                if self.until("assword: ", pexpect.TIMEOUT, seconds=LOGIN_S) == 0:
                    self._think()
                    self.type(PASSWORD)
                    self.until(PROMPT)
                    return
            self.type("")
        raise AssertionError("no login at the console")

    @staticmethod
    def _think() -> None:
        """As long as a person does: what is typed while a login asks is thrown away."""
        time.sleep(2)

    def close(self) -> None:
        """Leave the console to others."""
        self._door.close()


def compare_codes(one: Console, two: Console) -> None:
    """Pair both; the codes that the consoles show must be the same."""
    codes = []
    for console in (one, two):
        console.type("yes")
    for console in (one, two):
        console.until(r"\n\s+(\d{3} \d{3})")
        codes.append(console.talk.match.group(1))
        console.until(r"\(yes or no\) ")
    assert codes[0] == codes[1]
    for console in (one, two):
        console.type("yes")
    for console in (one, two):
        console.until(r"start the gateway\? \(yes or no\) ")
        console.type("yes")
    for console in (one, two):
        console.until("Written")


class RootShell:
    """A shell that no gateway has: of the copy of the image that is tested."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._door = connect(machine.plan.place("root"))

    def run(self, line: str, seconds: float = WAIT_S) -> str:
        """What a command printed; AssertionError when its end was not seen in time."""
        self._door.settimeout(0.2)
        self._drain()
        self._door.sendall(f'stty -echo; echo BE"G"IN; {line}; echo E"N"D\n'.encode())
        heard, end = "", time.monotonic() + seconds
        while not (found := re.search(r"BEGIN\r?\n(.*)END\r?\n", heard, re.DOTALL)):
            assert time.monotonic() < end, f"`{line}` did not end in {seconds:.0f} s: {heard[-400:]!r}"
            try:
                heard += self._door.recv(65536).decode("utf-8", "replace")
            except TimeoutError:
                continue
        return re.sub(r"\x1b\[[0-9;?!]*[A-Za-z]", "", found[1]).replace("\r", "")

    def _drain(self) -> None:
        try:
            while self._door.recv(65536):
                pass
        except TimeoutError:
            pass

    def tried(self, line: str, seconds: float = 20) -> str:
        """As `run`; "" from a machine that goes down or comes up meanwhile, its shell with it."""
        try:
            return self.run(line, seconds)
        except AssertionError:
            return ""

    def status(self) -> dict[str, object] | None:
        """The gateway's own words about itself; None while it does not answer."""
        said = self.tried("tandem status --state /run/tandem-people --json 2>/dev/null", 30)
        return dict(json.loads(said)) if said.startswith("{") else None
