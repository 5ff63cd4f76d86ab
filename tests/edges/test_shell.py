"""The login shell of people, its steward and the settling of a login: real programs, the system's own played."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tandem.manage.shell import Shell
from tandem.port.password import HASH, hashed, matches

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / "overlays/console/usr/lib/tandem/bin"
EXAMPLE = ROOT / "tools/example-group"


class Image:
    """The folders of an image below a temporary one; systemctl, usermod, ssh-keygen only say what they were asked."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        (folder / "data/system").mkdir(parents=True)
        (folder / "bin").mkdir()
        self.asked = folder / "asked"
        self.asked.touch()
        for name in ("systemctl", "usermod", "chown", "sync"):
            self.stub(name, f'echo "{name} $*" >>{self.asked}')
        self.stub("ssh-keygen", 'while [ $# -gt 1 ]; do shift; done; echo key >"$1"')

    def stub(self, name: str, line: str) -> None:
        file = self.root / "bin" / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)

    def run(self, name: str, given: str = "") -> str:
        script = self.root / name
        script.write_text((BIN / name).read_text().replace("/data", str(self.root / "data")))
        env = {**os.environ, "PATH": f"{self.root / 'bin'}:{os.environ['PATH']}"}
        done = subprocess.run(["sh", str(script)], input=given, capture_output=True, text=True, env=env, check=False)
        return done.stdout + done.stderr

    def said(self) -> list[str]:
        lines = self.asked.read_text().splitlines()
        self.asked.write_text("")
        return [line for line in lines if not line.startswith("sync")]


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return Image(tmp_path)


@pytest.fixture
def steward(image: Image) -> Iterator[Path]:
    """The steward's door, as its socket unit keeps it: one process a connection."""
    path = image.root / "steward.sock"
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.bind(str(path))
    door.listen()

    def serve() -> None:
        while True:
            try:
                visitor = door.accept()[0]
            except OSError:
                return
            with visitor, visitor.makefile("rw") as line:
                line.write(image.run("steward", line.readline()))

    thread = threading.Thread(target=serve)
    thread.start()
    yield path
    door.shutdown(socket.SHUT_RDWR)
    door.close()
    thread.join()


def made(image: Image, steward: str = "") -> tuple[Shell, list[list[str]]]:
    ran: list[list[str]] = []

    def verb(words: list[str]) -> int:
        ran.append(words)
        return 0

    return Shell(image.root / "data/people", verb, "/people", steward, str(image.root / "sticks")), ran


def test_verbs_get_the_folders_of_the_image(image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_BOARD", "rpi4")
    shell, ran = made(image)
    config = str(image.root / "data/people/config")
    for line in ("status", "points --match F1", "check", "commit", "commit --rollback", "switchover --to=b", "log"):
        assert shell.one(line) == 0
    assert ran == [
        ["status", "--state", "/people"],
        ["points", "--match", "F1", "--state", "/people"],
        ["check", "--config", config, "--board", "rpi4"],
        ["commit", "--state", "/people", "--config", config, "--board", "rpi4"],
        ["commit", "--rollback", "--state", "/people"],
        ["switchover", "--to=b", "--state", "/people"],
        ["log"],
    ]


@pytest.mark.parametrize("line", ["sh", "gateway", "archive", "/bin/sh", "shell", "pair; sh", "steward"])
def test_there_are_no_other_words(image: Image, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell, ran = made(image)
    assert shell.one(line) != 0 and ran == []
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", ["../engineer.hash", "/etc/passwd", ".profile", "x.sh", "a/b.csv", ".x.csv"])
def test_files_are_those_of_a_group_alone(image: Image, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    shell, _ = made(image)
    for word in ("show", "remove", "paste"):
        assert shell.one(f"{word} '{name}'") == 1
        assert "is no file of a group" in capsys.readouterr().out


def test_a_stick_is_copied(image: Image, capsys: pytest.CaptureFixture[str]) -> None:
    shell, _ = made(image)
    (image.root / "data/people").mkdir()
    assert shell.one("stick") == 1 and "no gateway.toml" in capsys.readouterr().out
    shutil.copytree(EXAMPLE, image.root / "sticks/sda1/cedar")
    assert shell.one("stick") == 0
    copied = {file.name: file.read_bytes() for file in (image.root / "data/people/config").iterdir()}
    assert copied["gateway.toml"] == (EXAMPLE / "gateway.toml").read_bytes() and "README.md" not in copied
    shutil.copytree(EXAMPLE, image.root / "sticks/sda1/other")
    assert shell.one("stick") == 1 and "stick sda1/cedar | sda1/other" in capsys.readouterr().out


def test_the_steward_does_what_it_knows_and_nothing_else(image: Image, steward: Path) -> None:
    shell, _ = made(image, str(steward))
    enabled = image.root / "data/system/ssh-enabled"
    assert shell.one("ssh on") == 0 and enabled.exists()
    assert image.said() == ["systemctl start ssh.service", "systemctl start tandem-network.service"]
    assert shell.one("ssh off") == 0 and not enabled.exists()
    assert image.said() == ["systemctl stop ssh.service", "systemctl start tandem-network.service"]
    assert shell.one("ssh perhaps") == 1 and image.said() == []
    assert shell.one("reboot") == 0 and image.said() == ["systemctl --no-block reboot"]
    for bad in ("start evil.service", "$(touch x)", "password x; reboot", "", "ssh on; reboot"):
        assert image.run("steward", bad + "\n").startswith("no: ") or not bad
        assert image.said() == []


def test_a_password_goes_from_the_first_boot_to_root_once_and_is_changed_by_its_owner(image: Image) -> None:
    first, second = hashed("four plain words"), hashed("others, three words")
    kept = image.root / "data/system/engineer.hash"
    (image.root / "data/tandem/group").mkdir(parents=True)
    (image.root / "data/people").mkdir()
    fresh = image.root / "data/tandem/engineer.hash"
    fresh.write_text(first + "\n")
    assert image.run("settle") == ""
    assert f"usermod --password {first} engineer" in image.said() and not fresh.exists()
    assert kept.read_text().strip() == first and not kept.stat().st_mode & 0o077
    fresh.write_text(second + "\n")
    image.run("settle")
    assert f"usermod --password {first} engineer" in image.said(), "the gateway's user cannot set another one later"
    assert "changed" in image.run("steward", f"password {second}\n")
    image.run("settle")
    assert f"usermod --password {second} engineer" in image.said()
    kept.write_text("x:0:0\nroot::\n")
    image.run("settle")
    assert image.said() == ["usermod --lock root"]


def test_settling_makes_host_keys_and_a_folder_to_work_in(image: Image) -> None:
    (image.root / "data/people").mkdir()
    shutil.copytree(EXAMPLE, image.root / "data/tandem/group")
    (image.root / "data/tandem/member.env").write_text("TANDEM_MEMBER=a\n")
    assert image.run("settle") == ""
    assert (image.root / "data/system/ssh/ssh_host_ed25519_key").exists()
    mine = image.root / "data/people/config/gateway.toml"
    assert mine.read_bytes() == (EXAMPLE / "gateway.toml").read_bytes()
    mine.write_text("mine")
    image.run("settle")
    assert mine.read_text() == "mine", "what people changed stays theirs"


def test_a_hash_is_what_login_takes() -> None:
    found = hashed("four plain words")
    assert HASH.fullmatch(found) and matches("four plain words", found) and not matches("four plain word", found)
    assert found != hashed("four plain words"), "salted"


def test_a_login_at_a_terminal(image: Image) -> None:
    home = image.root / "data/people"
    home.mkdir()
    env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware"), "TANDEM_BOARD": "rpi4"}
    words = ["-m", "tandem", "shell", "--home", str(home), "--people", str(home), "--steward", str(home / "none")]
    person = pexpect.spawn(sys.executable, words, env=env, encoding="utf-8", timeout=30)
    person.expect("tandem> ")
    person.sendline("help")
    person.expect("switchover")
    person.expect("tandem> ")
    person.sendline("paste")
    person.expect("Paste gateway.toml")
    person.sendline("format = 1\nnonsense\n.")
    person.expect("2 lines")
    person.sendline("check")
    person.expect("does not start with this configuration")
    person.sendline("status")
    person.expect("is a gateway running")
    person.sendline("points --nonsense")
    person.expect("unrecognized arguments.*tandem> ")
    for _ in range(6):  # one that comes while readline is about to wait is heard with the next key: as people do, again
        person.sendintr()
        if person.expect(["tandem> ", pexpect.TIMEOUT], timeout=5) == 0:
            break
    else:
        raise AssertionError("the interrupt gives no new line to type in")
    person.sendline("reboot")
    person.expect("No such file")
    person.sendline("exit")
    person.expect(pexpect.EOF)
    person.close()
    assert person.exitstatus == 0
    assert (home / "config/gateway.toml").read_text() == "format = 1\nnonsense\n"


@pytest.mark.parametrize("where", ["reading", "splitting", "carrying out"])
def test_an_interrupt_gives_up_the_line_wherever_it_falls(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    lines = iter(["interrupt"] * (where == "reading") + ["status", "exit"])
    monkeypatch.setattr("builtins.input", lambda _: interrupted() if (line := next(lines)) == "interrupt" else line)
    if where == "splitting":
        monkeypatch.setattr("tandem.manage.shell.shlex.split", interrupted)
    shell = Shell(tmp_path, interrupted if where == "carrying out" else lambda _: 0, str(tmp_path), "", "")
    assert shell.run() == 0
    assert next(lines, None) is None
