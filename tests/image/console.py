"""A person at the serial console of a machine in QEMU: reads, types, answers the first boot's questions, logs in."""

from __future__ import annotations

import re
import socket

import pexpect.fdpexpect

from tools.image.qemu import Machine, connect

BOOT_S = 600
WAIT_S = 180
PASSWORD = "four plain words here"
PROMPT = r"tandem> "


class Console:
    """One console; every wait ends with what was seen last when it is in vain."""

    def __init__(self, machine: Machine) -> None:
        self._door: socket.socket = connect(machine.plan.place("console"))
        end = self._door.fileno()
        self.talk = pexpect.fdpexpect.fdspawn(end, encoding="utf-8", codec_errors="replace", timeout=WAIT_S)

    def until(self, *patterns: str, seconds: float = WAIT_S) -> int:
        """Wait for one of the patterns; which."""
        return int(self.talk.expect(list(patterns), timeout=seconds))

    def type(self, line: str) -> None:
        """A line and its return."""
        self.talk.send(line + "\r")

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

    def first_boot(self, member: str, group: str) -> None:
        """Answer up to the pairing; `group` is a gateway.toml, or "" to have it from the peer."""
        self.until(r"a or b\? ", seconds=BOOT_S)
        self.type(member)
        self.until("Number: ")
        if group:
            self.type("2")
            self.until("full stop alone:")
            self.paste(group)
        else:
            self.type("4")
        self.until("not shown")
        self.type(PASSWORD)
        self.until("same again: ")
        self.type(PASSWORD)
        self.until(r"or later\) ")

    def log_in(self) -> None:
        """As `engineer`."""
        self.type("")
        self.until("login: ", seconds=BOOT_S)
        self.type("engineer")
        self.until("assword: ")
        self.type(PASSWORD)
        self.until(PROMPT)

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
