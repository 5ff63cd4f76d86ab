"""The questions of the first boot, as a machine: lines come in, text and wishes go out. It opens and writes nothing.

    letter -> source of the group -> password twice -> pairing -> compare -> confirm

`again` at any question (but a password and a paste) begins anew. Whatever is wrong is said with its cure and asked
again.
"""

from __future__ import annotations

from collections.abc import Callable

from tandem.config.board import BoardData
from tandem.config.finding import Finding
from tandem.config.load import parse_octets
from tandem.config.model import Config, Member
from tandem.config.pack import Pack, unpack
from tandem.firstboot.pairing import Said
from tandem.firstboot.source import Source
from tandem.firstboot.wish import BeginPairing, Compared, EndPairing, Finish, LookAtSticks, Wish

PASSWORD_LEAST = 10
PASSWORD_MOST = 200
_FINDINGS_SHOWN = 12
_YES, _NO = frozenset(("yes", "y")), frozenset(("no", "n"))


class Dialogue:
    """One conversation. `pair_only`: the member's letter, when only the pairing is to be made anew."""

    def __init__(self, board: BoardData, pair_only: Member | None = None) -> None:
        self._board = board
        self._ports = frozenset(port.name for port in board.serials)
        self._text: list[str] = []
        self._wishes: list[Wish] = []
        self._pair_only = pair_only
        self.state = ""
        self._begin()

    # --- what goes out ----------------------------------------------------------------------------------------------

    def output(self) -> str:
        """Text for the terminal since the last call; a prompt is its end."""
        text, self._text = "".join(self._text), []
        return text

    def wishes(self) -> list[Wish]:
        """What is to be done, in order."""
        wishes, self._wishes = self._wishes, []
        return wishes

    @property
    def secret(self) -> bool:
        """What is typed now must not be shown."""
        return self.state in ("password", "repeat")

    # --- what comes in ------------------------------------------------------------------------------------------------

    def answer(self, line: str) -> None:
        """A line was typed (without its end)."""
        word = line.strip().lower()
        if word == "again" and self.state not in ("password", "repeat", "finished") and not self._source.pasting:
            self._wishes.append(EndPairing())
            self._begin()
        elif handler := _ANSWERS.get(self.state):
            handler(self, line)

    def sticks(self, found: dict[str, dict[str, bytes]]) -> None:
        """Folders with a gateway.toml on USB sticks: where, and their files."""
        if self.state == "source":
            self._source.sticks(found)
            self._look_at_source()

    def pairing(self, said: Said) -> None:
        """What the pairing tells; for "done" the text is the pack that the peer handed over, or ""."""
        what, text = said
        if self.state not in ("waiting", "compare"):
            return
        if what == "found":
            self._say(f"Member {text} answers.")
        elif what == "code":
            self._say(f"\n    {text}\n")
            self._say("The other member's console shows a code too.")
            self._ask("compare")
        elif what == "failed":
            self._say(f"The pairing ended: {text}.")
            self._ask("pair")
        elif what == "done":
            self._paired = True
            self._say("Paired.")
            self._after_pairing(text)
        else:
            self._say(f"{text[:1].upper()}{text[1:]}.")

    # --- the questions ------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._member: Member = self._pair_only or "a"
        self._files: dict[str, bytes] = {}
        self._from_peer = self._paired = False
        self._password = ""
        self._source = Source(self._board, self._say)
        if self._pair_only:
            self._say(f"Member {self._member} is paired anew. Do the same at the other member.")
            self._ask("pair")
            return
        self._say(f"\nTandem on {self._board.title or self._board.name}: the first questions. `again` begins anew.\n")
        self._ask("letter")

    def _say(self, text: str) -> None:
        self._text.append(text + "\n")

    def _ask(self, state: str) -> None:
        self.state = state
        if state == "source":
            self._from_peer = False
            self._source = Source(self._board, self._say)
            self._text.append(self._source.prompt())
            return
        prompt = _PROMPTS.get(state, "")
        self._text.append(prompt(self) if callable(prompt) else prompt)

    def _letter(self, line: str) -> None:
        word = line.strip().lower()
        if word not in ("a", "b"):
            self._say("A group has two members, a and b: write one of these letters.")
            self._ask("letter")
            return
        self._member = "a" if word == "a" else "b"
        self._ask("source")

    def _sourced(self, line: str) -> None:
        self._source.answer(line)
        self._look_at_source()

    def _look_at_source(self) -> None:
        """The source has asked on, or has something."""
        source = self._source
        if source.from_peer:
            self._from_peer, self._files = True, {}
            self._ask("password")
        elif source.wants_sticks:
            source.wants_sticks = False
            self._wishes.append(LookAtSticks())
        elif source.files is not None:
            self._take(source.files, source.what)
        else:
            self._text.append(source.prompt())

    def _take(self, files: dict[str, bytes], what: str) -> None:
        config, findings = self._verified(files)
        self._tell(findings)
        if config is None:
            self._say(f"So {what} cannot be used. Correct it, and choose again.\n")
            self._ask("source")
            return
        self._files = files
        self._say(f'The group "{config.group.name}" is right.')
        self._ask("confirm" if self._from_peer else "password")

    def _verified(self, files: dict[str, bytes]) -> tuple[Config | None, list[Finding]]:
        return parse_octets(files, self._board.relay, "", self._ports)

    def _tell(self, findings: list[Finding]) -> None:
        for finding in findings[:_FINDINGS_SHOWN]:
            self._say(f"  {'' if finding.level == 'error' else '(warning) '}{finding}")
        if len(findings) > _FINDINGS_SHOWN:
            self._say(f"  and {len(findings) - _FINDINGS_SHOWN} more")

    def _password_line(self, line: str) -> None:
        why = weak(line)
        if why:
            self._say(why)
            self._ask("password")
            return
        self._password = line
        self._ask("repeat")

    def _repeat(self, line: str) -> None:
        if line != self._password:
            self._say("The two are not the same.")
            self._ask("password")
            return
        self._ask("pair")

    def _pair(self, line: str) -> None:
        word = line.strip().lower()
        if word in ("", "yes", "y"):
            pack = None if self._from_peer else Pack(self._files).text() if self._files else ""
            self._wishes.append(BeginPairing(self._member, pack))
            self._say("Waiting for the other member at the same question. Return alone stops waiting.")
            self.state = "waiting"
        elif word == "later" and not self._pair_only:
            if self._from_peer:
                self._say("Without the peer there is no group: choose another way to get it.")
                self._ask("source")
                return
            self._say("This member will run alone until the two are paired: `pair` at its login.")
            self._ask("confirm")
        else:
            self._ask("pair")

    def _waiting(self, line: str) -> None:
        self._wishes.append(EndPairing())
        self._ask("pair")

    def _compare(self, line: str) -> None:
        word = line.strip().lower()
        if word in _YES:
            self.state = "waiting"
            self._wishes.append(Compared(True))
            self._say("Waiting until the other member's code was compared too.")
        elif word in _NO:
            self.state = "waiting"
            self._wishes.append(Compared(False))
        else:
            self._ask("compare")

    def _after_pairing(self, pack: str) -> None:
        if not self._from_peer:
            self._ask("confirm")
            return
        try:
            files = unpack(pack).files
        except ValueError as error:
            self._say(f"What the peer handed over cannot be read: {error}.")
            self._ask("source")
            return
        self._take(files, "the group of the peer")

    def _confirm(self, line: str) -> None:
        word = line.strip().lower()
        if word in _YES:
            self.state = "finished"
            self._wishes.append(Finish(self._member, self._files, self._password, self._paired))
        elif word in _NO:
            self._begin()
        else:
            self._ask("confirm")

    def summary(self) -> str:
        """What is about to be written, for people."""
        if not self._files:
            return f"Member {self._member}: the keys of the pairing are replaced, nothing else."
        config, _ = self._verified(self._files)
        if config is None:
            return ""
        own = ", ".join(f"{lan.name} {lan.members[self._member].addresses[0].ip}" for lan in config.lans)
        shared = ", ".join(address.ip for lan in config.lans for address in lan.group)
        pair = "paired" if self._paired else "not paired"
        return f"Member {self._member} of {config.group.name}, {pair}: {own}; the group's {shared}."


def weak(password: str) -> str:
    """Why not this one, in a sentence; "" where it will do."""
    if len(password) < PASSWORD_LEAST or len(password) > PASSWORD_MOST:
        return f"A password has {PASSWORD_LEAST} to {PASSWORD_MOST} letters; a few words are easier to keep than signs."
    if len(set(password)) < 5 or not password.isprintable():
        return "Take at least five different letters, all of them printable."
    return ""


_PROMPTS: dict[str, str | Callable[[Dialogue], str]] = {
    "letter": "Which member of the group is this, a or b? ",
    "password": "Password of the login `engineer` (it is not shown): ",
    "repeat": "The same again: ",
    "pair": "Pair with the other member over the crossover cable? (yes, or later) ",
    "compare": "Are the two codes the same? (yes or no) ",
    "confirm": lambda dialogue: f"{dialogue.summary()}\nWrite this and start the gateway? (yes or no) ",
}
_ANSWERS: dict[str, Callable[[Dialogue, str], None]] = {
    "letter": Dialogue._letter,
    "source": Dialogue._sourced,
    "password": Dialogue._password_line,
    "repeat": Dialogue._repeat,
    "pair": Dialogue._pair,
    "waiting": Dialogue._waiting,
    "compare": Dialogue._compare,
    "confirm": Dialogue._confirm,
}
