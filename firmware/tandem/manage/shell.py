"""`python -m tandem shell`: the login shell of people. It knows the gateway's words and starts nothing else.

Most words are verbs of `python -m tandem`, with the folders of an image put in; the others look after the files that a
commit takes, or are asked of the steward, who may do a handful of things that only root may.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import os
import shlex
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from tandem.config.schema import MAIN_FILE
from tandem.firstboot.dialogue import weak
from tandem.port.password import hashed

_PEOPLE = "/run/tandem-people"
_STICKS = "/run/tandem-stick"
_STEWARD = "/run/tandem-steward.sock"
_HOME_CONFIG = "config"
_PASTE_MOST = 8 << 20
_STATE, _CONFIG, _BOARD = "--state", "--config", "--board"
_VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "status": ("how this member and its peer are", (_STATE,)),
    "points": ("present values: points [--match PART]", (_STATE,)),
    "events": ("the newest events: events [--most N]", (_STATE,)),
    "event": ("where one event is: event NUMBER", (_STATE,)),
    "control": ("control a point: control --help", (_STATE,)),
    "controls": ("the control log", (_STATE,)),
    "tag": ("block the controls of a point: tag --help", (_STATE,)),
    "untag": ("take a tag off", (_STATE,)),
    "tags": ("the tags that block points", (_STATE,)),
    "switchover": ("hand the active role over: switchover [--to a|b]", (_STATE,)),
    "out": ("put a member out of service: out --help", (_STATE,)),
    "in": ("put it back into service", (_STATE,)),
    "rearm": ("let the role go back to the preferred member", (_STATE,)),
    "reset-statistics": ("count anew", (_STATE,)),
    "check": ("verify the configuration in the folder `config`", (_CONFIG, _BOARD)),
    "commit": ("roll it over both members; commit --rollback; commit --status", (_STATE, _CONFIG, _BOARD)),
    "log": ("what the gateway said: log [--lines N] [--follow] [--system]", ()),
}
"""Word: what it does, and the options that an image's folders answer."""
_OTHER_CONFIG = ("--rollback", "--status", "--config")


class Shell:
    """One login. `verb` runs a verb of the program and returns its exit code."""

    def __init__(self, home: Path, verb: Callable[[list[str]], int], people: str, steward: str, sticks: str) -> None:
        self._config = home / _HOME_CONFIG
        self._verb, self._people, self._steward, self._sticks = verb, people, steward, Path(sticks)
        self._own: dict[str, tuple[str, Callable[[list[str]], None]]] = {
            "files": ("the files in the folder `config`", self._files),
            "show": ("print one of them: show gateway.toml", self._show),
            "paste": ("replace one of them by what is pasted: paste gateway.toml", self._paste),
            "remove": ("delete one of them: remove OLD.csv", self._remove),
            "stick": ("copy a group from a USB stick into `config`: stick [FOLDER]", self._stick),
            "password": ("another password of this login", self._password),
            "ssh": ("ssh on, ssh off: logins over the LANs", lambda words: self._ask("ssh", *words)),
            "pair": ("pair with the other member anew, at the serial console", lambda _: self._ask("pair")),
            "reboot": ("start this machine again", lambda _: self._ask("reboot")),
            "poweroff": ("switch this machine off", lambda _: self._ask("poweroff")),
            "help": ("this", lambda _: self._help()),
        }

    def run(self) -> int:
        """Read and carry out until `exit` or the line ends; an interrupt gives up a line or a word, never the login."""
        print("Tandem. `help` lists the words, `exit` ends.")
        while True:
            try:
                return self._lines()
            except KeyboardInterrupt:  # wherever it fell: between two lines too
                print()

    def _lines(self) -> int:
        while True:
            try:
                line = input("tandem> ")
            except EOFError:
                print()
                return 0
            if line.strip() in ("exit", "quit", "logout"):
                return 0
            self.one(line)

    def one(self, line: str) -> int:
        """Carry one line out; its exit code. Nothing that is typed ends the shell."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            print(f"{error}: close the quotes")
            return 2
        if not words:
            return 0
        try:
            if words[0] in _VERBS:
                return self._verb(self._complete(words))
            if words[0] not in self._own:
                print(f"There is no word {words[0]!r}; `help` lists them.")
                return 2
            self._own[words[0]][1](words[1:])
        except SystemExit as stop:
            return int(stop.code) if isinstance(stop.code, int) else 1
        except BrokenPipeError:  # whoever reads has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            return 0
        except (OSError, ValueError, EOFError) as error:
            print(f"{words[0]}: {error}")
            return 1
        except Exception as error:  # a fault of a verb must not end a login
            print(f"{words[0]}: {error!r}: that is a fault of the program")
            return 1
        return 0

    def _complete(self, words: list[str]) -> list[str]:
        """The verb with the folders that it needs here and that were not given."""
        given = {word.partition("=")[0] for word in words}
        board = os.environ.get("TANDEM_BOARD", "")
        values = {_STATE: self._people, _CONFIG: str(self._config), _BOARD: board}
        wanted = [option for option in _VERBS[words[0]][1] if option not in given and values[option]]
        if words[0] == "commit" and given & set(_OTHER_CONFIG):
            wanted = [option for option in wanted if option == _STATE]
        return [*words, *(part for option in wanted for part in (option, values[option]))]

    def _help(self) -> None:
        for word, (about, _) in {**_VERBS, **self._own}.items():
            print(f"  {word:17} {about}")
        print("  exit              end this login")

    # --- files --------------------------------------------------------------------------------------------------------

    def _file(self, words: list[str]) -> Path:
        name = words[0] if words else MAIN_FILE
        if Path(name).name != name or not name.endswith((".toml", ".csv")) or name.startswith("."):
            raise ValueError(f"{name!r} is no file of a group; name gateway.toml or a list such as scada.csv")
        return self._config / name

    def _files(self, words: list[str]) -> None:
        for file in sorted(self._config.iterdir()):
            print(f"  {file.stat().st_size:>9}  {file.name}")

    def _show(self, words: list[str]) -> None:
        print(self._file(words).read_text(encoding="utf-8", errors="replace"), end="")

    def _remove(self, words: list[str]) -> None:
        self._file(words).unlink()

    def _paste(self, words: list[str]) -> None:
        file, lines, octets = self._file(words), [], 0
        print(f"Paste {file.name}, then a line with a full stop alone:")
        while (line := input()).strip() != ".":
            lines.append(line)
            octets += len(line) + 1
            if octets > _PASTE_MOST:
                raise ValueError(f"more than {_PASTE_MOST >> 20} MiB; use a USB stick")
        self._config.mkdir(exist_ok=True)
        _replace(file, "\n".join([*lines, ""]).encode())
        print(f"{file.name}: {len(lines)} lines. `check` verifies, `commit` rolls it over both members.")

    def _stick(self, words: list[str]) -> None:
        folders = [file.parent for file in self._sticks.glob(f"*/**/{MAIN_FILE}")]
        found = {str(folder.relative_to(self._sticks)): folder for folder in folders}
        if words:
            found = {name: folder for name, folder in found.items() if name == words[0]}
        if len(found) != 1:
            names = " | ".join(sorted(found))
            raise ValueError(f"say which: stick {names}" if found else f"there is no {MAIN_FILE} on a stick here")
        ((name, folder),) = found.items()
        self._config.mkdir(exist_ok=True)
        for file in sorted(folder.iterdir()):
            if file.suffix in (".toml", ".csv") and file.is_file():
                _replace(self._config / file.name, file.read_bytes())
                print(f"  {file.name}")
        print(f"Copied from {name}. `check` verifies, `commit` rolls it over both members.")

    # --- the steward --------------------------------------------------------------------------------------------------

    def _password(self, words: list[str]) -> None:
        fresh = getpass.getpass("New password: ")
        if why := weak(fresh):
            raise ValueError(why)
        if getpass.getpass("The same again: ") != fresh:
            raise ValueError("the two are not the same; nothing was changed")
        self._ask("password", hashed(fresh))

    def _ask(self, *words: str) -> None:
        """One line to the steward; its lines are printed as they come. Raises OSError or ValueError."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as steward:
            steward.connect(self._steward)
            steward.sendall(" ".join(words).encode() + b"\n")
            refused = ""
            with steward.makefile("r", encoding="utf-8") as answers:
                for answer in answers:
                    refused = answer.strip() if answer.startswith("no: ") else ""
                    if not refused:
                        print(answer.rstrip())
        if refused:
            raise ValueError(refused.removeprefix("no: "))


def _replace(file: Path, octets: bytes) -> None:
    """Write a file whole and through to the flash. Raises OSError."""
    fresh = file.with_name(f".{file.name}.new")
    with fresh.open("wb") as target:
        target.write(octets)
        target.flush()
        os.fsync(target.fileno())
    fresh.replace(file)


def run(argv: list[str]) -> int:
    """Be a login shell: `-c LINE` carries one line out, as SSH asks for it."""
    parser = argparse.ArgumentParser(prog="tandem shell", description="The gateway's words, for people.")
    parser.add_argument("-c", dest="line", default=None, help="carry out this line and end")
    parser.add_argument("--people", default=_PEOPLE, help=argparse.SUPPRESS)
    parser.add_argument("--steward", default=_STEWARD, help=argparse.SUPPRESS)
    parser.add_argument("--sticks", default=_STICKS, help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, default=Path.home(), help=argparse.SUPPRESS)
    asked = parser.parse_args(argv)
    from tandem.__main__ import main

    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    if sys.stdin.isatty():
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401  (line editing and a history, in memory alone)
    shell = Shell(asked.home, main, asked.people, asked.steward, asked.sticks)
    return shell.run() if asked.line is None else shell.one(asked.line)
