"""Where the group's configuration comes from: some addresses, a paste, a USB stick, the peer. Lines in, files out."""

from __future__ import annotations

from collections.abc import Callable

from tandem.config.board import BoardData
from tandem.config.schema import MAIN_FILE
from tandem.firstboot.group import LanAnswers, group_text, interface_address, missing_lists

PASTE_MOST = 8 << 20
"""Octets of a file that is pasted."""
CROSSOVER = "crossover"
_CHOICES = (
    "Where does the group's configuration come from?\n"
    "  1  a few addresses, asked here; the rest comes later by commit\n"
    "  2  gateway.toml and its lists, pasted here\n"
    "  3  a USB stick\n"
    "  4  the other member, over the crossover cable\n"
    "Number: "
)
_WHICH = ("address that the active member has, shared by both", "address of member a", "address of member b")


class Source:
    """The questions until there are files, a wish to look at sticks, or the peer is to give them."""

    def __init__(self, board: BoardData, say: Callable[[str], None]) -> None:
        self._crossover = CROSSOVER if any(port.name == CROSSOVER for port in board.serials) else ""
        self._interfaces = list(board.interfaces.values()) or ["eth0"]
        self._say = say
        self._step: Callable[[str], None] = self._choice
        self._name = ""
        self._lans: list[LanAnswers] = []
        self._lan: list[str] = []
        self._texts: dict[str, str] = {}
        self._lines: list[str] = []
        self._octets = 0
        self.pasting = ""
        """The file that is being pasted; "" while none is."""
        self.from_peer = self.wants_sticks = False
        self.files: dict[str, bytes] | None = None
        self.what = ""
        """Where the files are from, in words."""

    def answer(self, line: str) -> None:
        """A line was typed."""
        self._step(line)

    def prompt(self) -> str:
        """The question that is open; "" in the middle of a paste."""
        if self._step == self._choice:
            return _CHOICES
        if self._step == self._group_name:
            return "A name for the group, such as cedar-creek: "
        if self._step == self._address:
            more = ", or return for no further LAN" if self._lans and not self._lan else ""
            interface = self._interfaces[len(self._lans)]
            return f"LAN on {interface}: {_WHICH[len(self._lan)]}, as 10.1.1.10/24{more}: "
        return "" if self._lines else f"Paste {self.pasting}, then a line with a full stop alone:\n"

    def sticks(self, found: dict[str, dict[str, bytes]]) -> None:
        """Folders with a gateway.toml on USB sticks: where, and their files."""
        if not found:
            self._say("There is no gateway.toml on a USB stick (FAT or exFAT) here, nor in a folder of one.")
            return
        where, files = next(iter(sorted(found.items())))
        if len(found) > 1:
            self._say(f"Found in {', '.join(sorted(found))}; the first one is taken.")
        self.files, self.what = files, f"the files of {where}"

    def _choice(self, line: str) -> None:
        match line.strip():
            case "1":
                self._step = self._group_name
            case "2":
                self._step = self._paste
                self.pasting = MAIN_FILE
            case "3":
                self.wants_sticks = True
            case "4":
                self.from_peer = True
                self._say("It will be taken from the peer when the two are paired.")
            case _:
                self._say("Write the number of a line.")

    def _group_name(self, line: str) -> None:
        if line.strip():
            self._name = line.strip()
            self._step = self._address

    def _address(self, line: str) -> None:
        if line.strip() or self._lan or not self._lans:
            try:
                self._lan.append(interface_address(line, self._lan[0] if self._lan else ""))
            except ValueError as error:
                self._say(f"{str(error)[:1].upper()}{str(error)[1:]}.")
            if len(self._lan) < len(_WHICH):
                return
            self._lans.append(LanAnswers(f"lan{len(self._lans) + 1}", self._interfaces[len(self._lans)], *self._lan))
            self._lan = []
            if len(self._lans) < len(self._interfaces):
                return
        text = group_text(self._name, self._lans, self._crossover)
        self.files, self.what = {MAIN_FILE: text.encode()}, "the group of these addresses"

    def _paste(self, line: str) -> None:
        if line.strip() != ".":
            self._lines.append(line.rstrip("\r\n"))
            self._octets += len(line) + 1
            if self._octets > PASTE_MOST:
                self._say(f"That is more than {PASTE_MOST >> 20} MiB: use a USB stick.")
                self._step, self.pasting, self._lines, self._octets = self._choice, "", [], 0
            return
        self._texts[self.pasting] = "\n".join([*self._lines, ""])
        self._lines = []
        missing = missing_lists(self._texts)
        self.pasting = missing[0] if missing else ""
        if not missing:
            self.files = {name: text.encode() for name, text in self._texts.items()}
            self.what = "what was pasted"
