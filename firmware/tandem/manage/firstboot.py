"""`python -m tandem first-boot`: the first boot's questions on this console, the pairing on the crossover line.

Below --base: `group/` (the configuration), `state/keys/`, `engineer.hash`, and at the very end `member.env`, whose
being there says that all the rest is whole: a power cut before it has the questions asked again.
"""

from __future__ import annotations

import argparse
import os
import secrets
import select
import signal
import ssl
import sys
import time
from pathlib import Path

from cryptography import x509

from tandem import kept as keep
from tandem.config.board import BoardData, board_file, read_board
from tandem.config.files import read_folder
from tandem.config.model import Member
from tandem.config.pack import Pack, unpack
from tandem.config.schema import MAIN_FILE
from tandem.firstboot.dialogue import Dialogue
from tandem.firstboot.pairing import Pairing, Said
from tandem.firstboot.source import CROSSOVER
from tandem.firstboot.wish import BeginPairing, Compared, EndPairing, Finish, LookAtSticks
from tandem.manage.pair import BEAT_KEY_OCTETS, identity, write_keys
from tandem.port import clock
from tandem.port.disk import StateFolder
from tandem.port.password import hashed
from tandem.port.terminal import Terminal
from tandem.port.tty import open_raw

_BAUD = 115200
_POLL_S = 0.1


def run(argv: list[str]) -> int:
    """Ask until everything is written; exit code 1 where nobody answers or it cannot be written."""
    parser = argparse.ArgumentParser(prog="tandem first-boot", description="Tell this member who it is.")
    parser.add_argument("--board", required=True, help="a board's name or folder")
    parser.add_argument("--base", type=Path, required=True, help="folder for group, keys and member.env")
    parser.add_argument("--sticks", type=Path, help="folder below which USB sticks are mounted")
    parser.add_argument("--pair-only", choices=("a", "b"), help="pair this member anew, and change nothing else")
    asked = parser.parse_args(argv)
    board, findings = read_board(asked.board)
    if board is None:
        print(f"tandem first-boot: {board_file(asked.board)}: {findings[0]}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminal = Terminal()
    try:
        return FirstBoot(board, asked.base, asked.sticks, asked.pair_only, terminal).run()
    finally:
        terminal.close()


class FirstBoot:
    """Terminal, line and flash around one Dialogue and, while two members pair, one Pairing."""

    def __init__(
        self, board: BoardData, base: Path, sticks: Path | None, pair_only: Member | None, terminal: Terminal
    ) -> None:
        self._board, self._base, self._sticks, self._terminal = board, base, sticks, terminal
        self._dialogue = Dialogue(board, pair_only)
        self._pairing: Pairing | None = None
        self._line = -1
        self._own: tuple[bytes, bytes] = (b"", b"")
        self._code = -1

    def run(self) -> int:
        """Live until the answers are written."""
        while self._code < 0:
            self._show()
            fds = [self._terminal.fileno(), *([self._line] if self._line >= 0 else [])]
            ready = select.select(fds, [], [], _POLL_S if self._pairing else None)[0]
            if self._terminal.fileno() in ready:
                for line in self._terminal.lines():
                    self._dialogue.answer(line)
                    self._carry_out()
                if self._terminal.ended and self._code < 0:
                    self._terminal.write("\nNobody answers any more; nothing was written.\n")
                    return 1
            self._pump(self._line in ready)
        self._show()
        return self._code

    def _show(self) -> None:
        text = self._dialogue.output()
        self._terminal.show(not self._dialogue.secret)  # before the question: who types fast is not shown either
        self._terminal.write(text)

    def _carry_out(self) -> None:
        for wish in self._dialogue.wishes():
            match wish:
                case LookAtSticks():
                    self._dialogue.sticks(self._look_at_sticks())
                case BeginPairing():
                    self._begin_pairing(wish)
                case Compared() if self._pairing is not None:
                    self._pairing.agree(wish.same, clock.monotonic_ns())
                case EndPairing():
                    self._end_pairing()
                case Finish():
                    self._finish(wish)
        self._show()

    # --- pairing ------------------------------------------------------------------------------------------------------

    def _begin_pairing(self, wish: BeginPairing) -> None:
        self._end_pairing()
        device = next((port.device for port in self._board.serials if port.name == CROSSOVER), "")
        try:
            if not device:
                raise OSError(f"board {self._board.name} has no serial port {CROSSOVER}")
            self._line = open_raw(os.path.expandvars(device), _BAUD, 8, "none", 1)
        except OSError as error:
            self._dialogue.pairing(("failed", f"the crossover line cannot be opened: {error}"))
            return
        self._own = identity(f"tandem/{wish.member}")
        certificate = ssl.PEM_cert_to_DER_cert(self._own[1].decode("ascii"))
        group = wish.group if wish.group != "" else self._running()
        drawn = secrets.token_bytes(32), secrets.token_bytes(16)
        self._pairing = Pairing(wish.member, certificate, *drawn, group, clock.monotonic_ns())

    def _running(self) -> str:
        """The pack of what this member runs, for a peer that has none; "" where there is none."""
        try:
            state = StateFolder(str(self._base / "state"))
            kept = keep.read(state.read(keep.FILE))
            return state.read(keep.pack_file(kept.running)) if kept.running else ""
        except (OSError, ValueError):
            return ""

    def _pump(self, readable: bool) -> None:
        if (pairing := self._pairing) is None:
            return
        now = clock.monotonic_ns()
        try:
            if readable:
                pairing.receive(os.read(self._line, 4096), now)
            pairing.tick(now)
            self._send(pairing.outgoing())
        except BlockingIOError:
            pass
        except OSError as error:
            self._dialogue.pairing(("failed", f"the crossover line is gone: {error.strerror}"))
            self._end_pairing()
            return
        for said in pairing.events():
            self._dialogue.pairing(self._judged(pairing, said))
        self._carry_out()
        if self._pairing is not None and (pairing.state == "failed" or pairing.over(now)):
            self._close_line()

    def _judged(self, pairing: Pairing, said: Said) -> Said:
        if said[0] != "done":
            return said
        try:
            x509.load_der_x509_certificate(pairing.result.certificate)
            return "done", pairing.result.group
        except ValueError as error:
            return "failed", f"the peer's certificate is none ({error}); begin again at both members"

    def _send(self, octets: bytes) -> None:
        view = memoryview(octets)
        while view:
            select.select([], [self._line], [])
            view = view[os.write(self._line, view) :]

    def _close_line(self) -> None:
        if self._line >= 0:
            os.close(self._line)
            self._line = -1

    def _end_pairing(self) -> None:
        self._close_line()
        self._pairing = None

    # --- files --------------------------------------------------------------------------------------------------------

    def _look_at_sticks(self) -> dict[str, dict[str, bytes]]:
        found = {}
        for file in sorted(self._sticks.glob(f"*/**/{MAIN_FILE}")) if self._sticks else ():
            try:
                found[str(file.parent.relative_to(self._sticks or ""))] = read_folder(str(file.parent))
            except OSError as error:
                self._terminal.write(f"{file.parent}: {error}\n")
        return found

    def _finish(self, answers: Finish) -> None:
        while answers.paired and self._line >= 0:  # the peer may have missed the last word
            time.sleep(_POLL_S)
            self._pump(bool(select.select([self._line], [], [], 0)[0]))
        try:
            self._write(answers)
        except OSError as error:
            self._terminal.write(f"It cannot be written: {error}. Look at the card, and begin again.\n")
            self._code = 1
            return
        self._terminal.write("Written.\n")
        self._code = 0

    def _write(self, answers: Finish) -> None:
        """Everything, in an order in which a power cut leaves the questions open. Raises OSError."""
        base = StateFolder(str(self._base))
        if answers.files:
            group = StateFolder(str(self._base / "group"))
            files = unpack(Pack(answers.files).text()).files  # without what no configuration can use
            for name, octets in files.items():
                _written(group.write(name, octets.decode()))
            for old in group.path.iterdir():
                if old.name not in files:
                    old.unlink()
        if answers.paired and self._pairing is not None:
            paired = self._pairing.result
            peer = ssl.DER_cert_to_PEM_cert(paired.certificate).encode("ascii")
            write_keys(self._base / "state" / "keys", (*self._own, peer, paired.beat_key))
        elif not answers.paired:  # keys that nobody else has: it runs alone until the two are paired
            own, nobody = identity(f"tandem/{answers.member}"), identity("tandem/nobody")
            write_keys(self._base / "state" / "keys", (*own, nobody[1], secrets.token_bytes(BEAT_KEY_OCTETS)))
        if answers.password:
            _written(base.write("engineer.hash", hashed(answers.password) + "\n"))
        _written(base.write("member.env", f"TANDEM_MEMBER={answers.member}\n"))


def _written(fault: str) -> None:
    if fault:
        raise OSError(fault)
