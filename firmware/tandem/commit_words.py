"""What two members say to each other about a commit, and what this one keeps of it. The base of `commit.Commit`.

Words between the members, JSON objects by "w":

    submit, offer   uid, size, sha: pieces follow; submit: a standby's operator, offer: the active
    got at | ready id | no why      the answers to pieces, and to what they made
    rollback uid    a standby's operator
    goal goal tables                the active's commit as it stands
    activate        the standby runs the goal's wanted configuration from now on
    lacks           it has not got the files
    mine goal why   what a standby knows when a session begins; why: it gave its activation up
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from tandem.action import Persist, Stage
from tandem.codec.beat import Role
from tandem.codec.link_commit import CommitWord, Piece
from tandem.kept import FILE, Kept
from tandem.parts import Parts
from tandem.point import Say
from tandem.standby.pieces import Receiver, Sender, digest

Word = dict[str, Any]


class Conversation:
    """One member's record of commits, its words to the other member, and the pieces on their way."""

    def __init__(self, node: Parts, kept: Kept) -> None:
        self.node = node
        self.kept = kept
        self.goal = kept.goal
        self.runs = node.config.digest
        self.refused: dict[str, str] = {}
        """By uid, the newest alone: why a commit that was asked for here was not begun."""
        self._hear: dict[str, Callable[[Word, int], None]] = {
            "submit": self._offered, "offer": self._offered, "got": self._got,
        }  # fmt: skip
        self._sender: Sender | None = None
        self._receiver: tuple[str, Receiver] | None = None  # (uid, what came so far)
        self._saved = ""  # the text of the newest record that is on flash
        self._asked = ""  # ... that was asked to be
        self._restart = ""  # to be done when the record is on flash
        self._alike()

    def begin(self, uid: str, pack: str, now: int) -> None:
        """The active was given a commit."""
        raise NotImplementedError

    def refusal(self, rollback: bool = False) -> str:
        """Why no commit can begin now, as a sentence; "" when one can."""
        node, peer = self.node, self.node.mirror.peer
        if self.goal is not None and self.goal.open and not (rollback and self.goal.state == "rolling"):
            return "another commit is under way: see `tandem commit --status`"
        if peer is None:
            return "the other member is not linked: a commit needs both members"
        if peer.active == node.is_active:
            return "there is not one active and one standby: a commit needs both"
        if not node.in_sync and peer.config.hex() == self.runs:
            return "the members are not in sync: wait for that, see `tandem status`"
        return ""

    def _no_begin(self, uid: str, why: str) -> None:
        self.refused = {uid: why}
        self._tell("no", uid=uid, why=why)

    # --- what is kept -------------------------------------------------------------------------------------------

    def _step(self, sentence: str, now: int, state: str = "") -> None:
        """The active's commit is one step further: said, kept, told."""
        node = self.node
        assert self.goal is not None
        self.goal = self.goal.step(node.clock.stamp(now)[0], node.member, sentence, state)
        level = "error" if state in ("failed", "returning") else "info"
        node.ask(Say(f"commit: {sentence}", level))
        self._keep()
        self._tell_goal()

    def _fail(self, why: str, now: int) -> None:
        state = self.goal.state if self.goal else ""
        if state == "staging":
            self._step(f"refused: {why}", now, "refused")
        elif state == "rolling":
            self._step(f"{why}: both members go back", now, "returning")
        else:
            self._step(f"going back failed: {why}; see the members' logs", now, "failed")

    def _keep(self) -> None:
        """Nothing of a commit is kept before it is staged on both: a power cut then finds what was."""
        goal = self.goal if self.goal is None or self.goal.state not in ("staging", "refused") else self.kept.goal
        self.kept = replace(self.kept, goal=goal)
        text = self.kept.to_json()
        if text != self._asked:
            self._asked = text
            self.node.ask(Persist(FILE, text))

    def persisted(self, persist: Persist, fault: str) -> None:
        """A file of the state folder was written, or not."""
        if persist.name == FILE and not fault:
            self._saved = persist.text
            if self._restart and persist.text == self._asked:
                self._begin_again()

    def _begin_again(self) -> None:
        if self.node.role.role in (Role.STANDBY, Role.STARTING, Role.OUT_OF_SERVICE):
            self.node.restart(self._restart)
        else:  # it was needed meanwhile: what serves is not ended
            self._restart = ""
            self.kept = replace(self.kept, running=self.runs, trial=0)
            self._keep()

    def _alike(self) -> None:
        self.node.mirror.alike(frozenset(bytes.fromhex(table) for table in self.kept.tables.values()))

    # --- words and pieces ---------------------------------------------------------------------------------------

    def heard(self, message: CommitWord | Piece, now: int) -> None:
        """A word or a piece of the other member; one that means nothing is said and left."""
        try:
            if isinstance(message, Piece):
                self._piece(message, now)
                return
            word = json.loads(message.text)
            self._hear[word["w"]](word, now)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._receiver = None
            self.node.ask(Say(f"commit: the other member's word is not understood: {error!r}", "warning"))
            self._tell("no", why=str(error))

    def _offered(self, word: Word, now: int) -> None:
        if word["w"] == "submit" and (refusal := self.refusal()):
            self._no_begin(str(word["uid"]), refusal)
        elif (word["w"] == "submit") == self.node.is_active:
            self._receiver = str(word["uid"]), Receiver(int(word["size"]), str(word["sha"]))

    def _piece(self, piece: Piece, now: int) -> None:
        if self._receiver is None:
            return
        uid, receiver = self._receiver
        receiver.take(piece)
        self._tell("got", at=receiver.at)
        if receiver.whole:
            self._receiver = None
            if self.node.is_active:
                self.begin(uid, receiver.text(), now)
            else:
                self.node.ask(Stage(receiver.text(), "", True))

    def _give(self, what: str, uid: str, pack: str) -> None:
        self._sender = Sender(pack)
        self._tell(what, uid=uid, size=self._sender.size, sha=digest(pack))
        self._send_pieces()

    def _got(self, word: Word, now: int) -> None:
        if self._sender is not None:
            self._sender.got(int(word["at"]))
            self._send_pieces()

    def _send_pieces(self) -> None:
        for piece in self._sender.pieces() if self._sender else ():
            self.node.mirror.tell(piece)

    def _tell(self, what: str, **fields: object) -> None:
        self.node.mirror.tell(CommitWord(json.dumps({"w": what, **fields})))

    def _tell_goal(self) -> None:
        self._tell("goal", goal=asdict(self.goal) if self.goal else None, tables=dict(self.kept.tables))
