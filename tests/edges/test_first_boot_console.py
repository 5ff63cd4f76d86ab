"""The real first-boot program on two consoles (ptys), its crossover cable two more ptys joined back to back."""

from __future__ import annotations

import os
import re
import select
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tandem.config.load import load
from tandem.manage.choose import choose
from tandem.port.disk import StateFolder
from tandem.port.password import HASH, matches
from tandem.port.tls import load_keys

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "four plain words here"
WAIT_S = 60


class Crossover:
    """A null-modem cable: what one end writes the other reads."""

    def __init__(self) -> None:
        pairs = [os.openpty(), os.openpty()]
        self._masters = [pair[0] for pair in pairs]
        self._slaves = [pair[1] for pair in pairs]
        self.devices = [os.ttyname(pair[1]) for pair in pairs]
        self.seen = b""
        self._end, self._stop = os.pipe()
        self._thread = threading.Thread(target=self._carry)
        self._thread.start()

    def _carry(self) -> None:
        one, other = self._masters
        while True:
            ready = select.select([one, other, self._end], [], [])[0]
            if self._end in ready:
                return
            for end in ready:
                octets = os.read(end, 4096)
                self.seen += octets
                os.write(other if end == one else one, octets)

    def close(self) -> None:
        os.write(self._stop, b"x")
        self._thread.join()
        for fd in (*self._masters, *self._slaves, self._end, self._stop):
            os.close(fd)


@pytest.fixture
def cable() -> Iterator[Crossover]:
    made = Crossover()
    yield made
    made.close()


def console(folder: Path, device: str, *more: str) -> pexpect.spawn:
    """The program as its unit starts it, at a console of its own."""
    board = folder / "board"
    board.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "board/qemu-virt/board.toml").read_text().replace("/dev/ttyAMA1", device)
    (board / "board.toml").write_text(text)
    words = ["-m", "tandem", "first-boot", "--board", str(board), "--base", str(folder / "data"), *more]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware")}
    return pexpect.spawn(sys.executable, words, env=env, encoding="utf-8", timeout=WAIT_S, echo=True)


def answer(person: pexpect.spawn, question: str, text: str) -> None:
    person.expect(question)
    person.sendline(text)


def addresses(person: pexpect.spawn) -> None:
    answer(person, "Number: ", "1")
    answer(person, "name for the group", "cedar-creek")
    for lan in ("10.1.1", "10.1.2"):
        for host in ("10/24", "11", "12"):
            answer(person, "10.1.1.10/24.*: ", f"{lan}.{host}")


def password(person: pexpect.spawn) -> None:
    answer(person, "it is not shown", PASSWORD)
    answer(person, "same again", PASSWORD)


def test_two_people_set_two_members_up(cable: Crossover, tmp_path: Path) -> None:
    a, b = (console(tmp_path / m, device) for m, device in zip("ab", cable.devices, strict=True))
    answer(a, "a or b\\? ", "a")
    addresses(a)
    answer(b, "a or b\\? ", "b")
    answer(b, "Number: ", "4")
    codes = []
    for person in (a, b):
        password(person)
        answer(person, "yes, or later", "yes")
    for person in (a, b):
        person.expect(r"\n    (\d\d\d \d\d\d)\r")
        codes.append(person.match.group(1))
    assert codes[0] == codes[1]
    for person in (a, b):
        answer(person, r"the same\? \(yes or no\) ", "yes")
    for person in (a, b):
        answer(person, "Member . of cedar-creek, paired.*start the gateway", "yes")
        person.expect("Written")
    for person in (a, b):
        person.expect(pexpect.EOF)
        person.close()
        assert person.exitstatus == 0
    data = {m: tmp_path / m / "data" for m in "ab"}
    assert load(str(data["a"] / "group")).digest == load(str(data["b"] / "group")).digest
    keys = {m: load_keys(folder / "state/keys") for m, folder in data.items()}
    assert keys["a"].peer != keys["b"].peer
    beat = {(folder / "state/keys/beat.key").read_bytes() for folder in data.values()}
    assert len(beat) == 1 and beat.pop() not in cable.seen, "the key of the beats never travels"
    for m, folder in data.items():
        assert (folder / "member.env").read_text() == f"TANDEM_MEMBER={m}\n"
        hash_ = (folder / "engineer.hash").read_text().strip()
        assert HASH.fullmatch(hash_) and matches(PASSWORD, hash_) and not matches("another", hash_)
        assert not [f for f in folder.rglob("*") if f.is_file() and f.stat().st_mode & 0o077], "all of it is private"


def test_a_new_board_gets_the_group_that_its_peer_runs(cable: Crossover, tmp_path: Path) -> None:
    data = tmp_path / "a/data"
    a = console(tmp_path / "a", cable.devices[0])
    answer(a, "a or b\\? ", "a")
    addresses(a)
    password(a)
    answer(a, "yes, or later", "later")
    answer(a, "start the gateway", "yes")
    a.expect(pexpect.EOF)
    runs = choose(str(data / "group"), StateFolder(str(data / "state")), None, frozenset(("crossover",)))
    a = console(tmp_path / "a", cable.devices[0], "--pair-only", "a")
    b = console(tmp_path / "b", cable.devices[1])
    answer(b, "a or b\\? ", "b")
    answer(b, "Number: ", "4")
    password(b)
    for person in (a, b):
        answer(person, "yes, or later", "")
    for person in (a, b):
        answer(person, r"the same\? \(yes or no\) ", "yes")
    answer(a, "keys of the pairing are replaced, nothing else.*start the gateway", "yes")
    answer(b, "start the gateway", "yes")
    for person in (a, b):
        person.expect("Written")
        person.expect(pexpect.EOF)
    assert load(str(tmp_path / "b/data/group")).digest == runs.digest
    keys = [(tmp_path / m / "data/state/keys/beat.key").read_bytes() for m in "ab"]
    assert keys[0] == keys[1]


def test_a_member_alone_and_its_password_is_never_shown(cable: Crossover, tmp_path: Path) -> None:
    person = console(tmp_path, cable.devices[0])
    log = (tmp_path / "console").open("w+")
    person.logfile_read = log
    answer(person, "a or b\\? ", "a")
    addresses(person)
    password(person)
    answer(person, "yes, or later", "later")
    answer(person, "start the gateway", "yes")
    person.expect("Written")
    person.expect(pexpect.EOF)
    log.seek(0)
    shown = log.read()
    assert "cedar-creek" in shown and PASSWORD not in shown
    assert load_keys(tmp_path / "data/state/keys").peer
    log.close()


def test_who_walks_away_leaves_the_questions_open(cable: Crossover, tmp_path: Path) -> None:
    person = console(tmp_path, cable.devices[0])
    answer(person, "a or b\\? ", "a")
    person.expect("Number: ")
    person.close(force=True)
    assert not list(tmp_path.glob("data/*.env"))


def test_a_stick_and_a_paste_of_the_wrong_group_are_refused_in_words(cable: Crossover, tmp_path: Path) -> None:
    folder = tmp_path / "sticks/sda1/group"
    folder.mkdir(parents=True)
    for file in (ROOT / "tools/example-group").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    person = console(tmp_path, cable.devices[0], "--sticks", str(tmp_path / "sticks"))
    answer(person, "a or b\\? ", "b")
    answer(person, "Number: ", "3")
    person.expect(re.escape('gateway.toml:') + ".*has no serial port")
    person.expect("the files of sda1/group cannot be used")
    answer(person, "Number: ", "2")
    person.expect("Paste gateway.toml")
    for line in ("format = 1", "[group]", 'name = "x"', "."):
        person.sendline(line)
    person.expect("cannot be used")
    person.close(force=True)
