"""A configuration change while running, from this member's side: staged on both, activated on the standby first,
mirrored by name, switched over, activated on the other. What it knows is in `kept`, what it decides in `rolling`.

    local API -> (standby: pieces to the active) -> active: verified, pieces to the standby -> verified there: staged
    from then on `rolling` decides, on whichever member is active, until both run what is wanted
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from tandem.action import Stage
from tandem.codec.beat import Role
from tandem.commit_words import Conversation, Word
from tandem.kept import Goal, Kept
from tandem.parts import Parts
from tandem.point import SECOND, Say
from tandem.standby.rolling import Rolling, Sight, Step

PROVE_NS = SECOND
"""In sync for so long, an activated configuration has proved itself."""
TRIAL_NS = 75 * SECOND
"""A standby whose configuration on trial has not proved itself by then goes back to the one before."""
_STAGE_NS = 180 * SECOND
STATES = ("", "staging", "rolling", "returning", "done", "returned", "refused", "failed")
"""Of the newest commit, as `_sys.commit.state` numbers them."""


class Commit(Conversation):
    """One member's part in commits. Idle it costs a few compares a turn."""

    def __init__(self, node: Parts, kept: Kept) -> None:
        super().__init__(node, kept)
        self.left_out = 0
        """Events that waited for a center and that this member could not tell any more, since it runs."""
        self._rolling = Rolling()
        self._have = set(kept.needed)
        self._peer: object = None
        self._staging_since = 0
        self._good_since: int | None = None
        self._trial_since: int | None = None
        self._hear |= {
            "ready": self._ready, "no": self._no, "goal": self._goal_told, "activate": self._activate,
            "lacks": self._lacks, "mine": self._theirs,
            "rollback": lambda word, now: self.begin(str(word["uid"]), "", now),
        }  # fmt: skip

    # --- what people ask ----------------------------------------------------------------------------------------

    def start(self, uid: str, pack: str, now: int) -> str:
        """Roll a packed configuration ("": the one before) over both members; "" or why that is refused at once."""
        if refusal := self.refusal(not pack):
            return refusal
        if self.node.is_active:
            self.begin(uid, pack, now)
        elif pack:
            self._give("submit", uid, pack)
        else:
            self._tell("rollback", uid=uid)
        return ""

    @property
    def state(self) -> int:
        """The place of the newest commit's state in `STATES`; 0 where none is known."""
        return STATES.index(self.goal.state) if self.goal is not None and self.goal.state in STATES else 0

    @property
    def on_trial(self) -> bool:
        """What runs here has not proved itself yet."""
        return bool(self.kept.trial)

    def claimed(self, now: int) -> None:
        """This member serves from now on: events of points that its configuration does not have find no address."""
        node = self.node
        count = node.database.left_out(node.service.lowest_cursor(node.journal.head))
        if not count:
            return
        self.left_out += count
        sentence = f"{count} events that a center had not confirmed are of points that are gone: they are left out"
        if self.goal is not None and self.goal.state in ("rolling", "returning"):
            self._step(sentence, now)
        else:
            node.ask(Say(sentence, "warning"))

    def status(self) -> dict[str, object]:
        """What runs here, what ran before, and the newest commit with its steps."""
        kept, goal = self.kept, self.goal
        known = {"running": self.runs, "previous": kept.previous, "on_trial": bool(kept.trial), "gave_up": kept.why}
        newest = asdict(goal) if goal else None
        return {**known, "commit": newest, "refused": self.refused, "left_out": self.left_out}

    # --- the active: verified, staged on both ---------------------------------------------------------------------

    def begin(self, uid: str, pack: str, now: int) -> None:
        """Verify a packed configuration, or ("") the one before; a commit that is under way is turned round by that."""
        name = "" if pack else self.kept.previous
        if not pack and self.goal is not None and self.goal.state == "rolling":
            self._step("a rollback is ordered: both members go back", now, "returning")
        elif refusal := self.refusal() or ("" if pack or name else "there is no configuration before this one"):
            self._no_begin(uid, refusal)
        else:
            self.goal = Goal(uid, "staging", back=self.runs)
            self._staging_since = now
            what = "the configuration before this one" if name else "the new configuration"
            self._step(f"{what} is verified against what runs", now)
            self.node.ask(Stage(pack, name, False))

    def staged(self, result: Mapping[str, Any], now: int) -> None:
        """Answer to `Stage`: {"why"}, or what is on flash now: {"id", "pack", "registry", "tables", "about"}."""
        why = str(result.get("why", ""))
        if not why:
            self._have.add(str(result["id"]))
            self.node.mirror.registry_json = str(result["registry"])
        node = self.node
        if not node.is_active:
            name = str(result.get("id", ""))
            self._tell("no" if why else "ready", why=why, id=name, table=result.get("tables", {}).get(name))
            return
        if self.goal is None or not self.goal.open:
            return
        peer = node.mirror.peer
        name = str(result.get("id", ""))
        if not why and result["tables"].get(self.runs) != node.table.digest().hex():
            why = "the points of what runs have other ids than the state folder says: restart this member"
        if not why and name == self.runs and peer is not None and peer.config.hex() == name:
            why = "both members run this configuration already"
        if why:
            self._fail(why, now)
            return
        if self.goal.state == "staging":
            self.goal = replace(self.goal, to=name)
            self.kept = replace(self.kept, tables=dict(result["tables"]))
            self._alike()
            self._step(f"verified: {result['about']}", now)
        self._give("offer", self.goal.uid, result["pack"])

    def _ready(self, word: Word, now: int) -> None:
        """The standby has it on flash too."""
        self._rolling.lacks()
        if self.goal is None or self.goal.state != "staging" or word["id"] != self.goal.to:
            return
        if word["table"] != self.kept.tables[self.goal.to]:
            self._fail("the other member gives its points other ids", now)
        else:
            self._step("staged on both members", now, "rolling")

    def _no(self, word: Word, now: int) -> None:
        """Refused at the other member: what was given it, or a commit that was asked for here."""
        self._sender = None
        if not self.node.is_active:
            self.refused = {str(word.get("uid", "")): str(word["why"])}
        elif self.goal is not None and self.goal.open:
            self._fail(f"the other member refuses: {word['why']}", now)

    def _lacks(self, word: Word, now: int) -> None:
        if self.node.is_active and self.goal is not None and self.goal.open:
            self.node.ask(Stage("", self.goal.wanted, False))

    # --- the active: rolled -----------------------------------------------------------------------------------------

    def _roll(self, goal: Goal, now: int) -> None:
        node, peer = self.node, self.node.mirror.peer
        if goal.state == "staging":
            if peer is None or now - self._staging_since > _STAGE_NS:
                self._fail("the other member was lost while it was staged" if peer is None else "it took too long", now)
            return
        if self._asked != self._saved:
            return  # nothing is done that a power cut would make unsaid
        there = peer.config.hex() if peer is not None and not peer.active else ""
        view = node.view
        follows = node.in_sync and view.in_sync and view.hears_me and view.role == Role.STANDBY
        sight = Sight(self.runs, there, peer.nonce if peer else 0, follows, self._complaint())
        other = "b" if node.member == "a" else "a"
        match self._rolling.look(goal, sight, now):
            case Step.ACTIVATE:
                self._step(f"{other} activates {goal.wanted[:12]}", now)
                self._tell("activate", goal=asdict(self.goal or goal), tables=dict(self.kept.tables))
            case Step.SWITCH:
                answer = node.role.order(f"make {other} active", now)
                self._step(f"{other} runs it and is in sync, mirrored by name; switchover: {answer}", now)
            case Step.DONE:
                word = "went back to" if goal.state == "returning" else "run"
                final = "returned" if goal.state == "returning" else "done"
                self._step(f"both members {word} {goal.wanted[:12]}, in sync", now, final)
            case Step.GIVE_UP:
                self._fail(self._rolling.why, now)

    def _complaint(self) -> str:
        node = self.node
        shut = next(iter(node.service.doors_shut.values()), "")
        if shut or node.role.own.health >= node.view.health:
            return shut
        return f"its health is {node.role.own.health}, the other member's {node.view.health}"

    # --- the standby ------------------------------------------------------------------------------------------------

    def _goal_told(self, word: Word, now: int) -> None:
        if self.node.is_active:
            return
        self.goal = Goal.of(word["goal"])
        self.kept = replace(self.kept, tables={str(k): str(v) for k, v in word["tables"].items()})
        self._alike()
        self._keep()

    def _activate(self, word: Word, now: int) -> None:
        if self.node.is_active:
            return
        self._goal_told(word, now)
        wanted = self.goal.wanted if self.goal else ""
        if wanted not in self._have:
            self._tell("lacks")
        elif wanted != self.runs and not self._restart:
            self.kept = self.kept.activate(wanted)
            self._restart = f"configuration {wanted[:12]} is activated"
            self._keep()

    def _look_after_trial(self, now: int) -> None:
        """An activated configuration proves itself, or is given up while this member is not needed."""
        node = self.node
        self._trial_since = now if self._trial_since is None else self._trial_since
        if not (node.in_sync or node.is_active):
            self._good_since = None
        elif self._good_since is None:
            self._good_since = now
        elif now - self._good_since >= PROVE_NS:
            self.kept = replace(self.kept, trial=0)
            node.ask(Say(f"configuration {self.runs[:12]} has proved itself"))
            self._keep()
            return
        if now - self._trial_since > TRIAL_NS and not node.is_active:
            self.kept = self.kept.give_up(f"it was not in sync within {TRIAL_NS // SECOND} s")
            self._restart = f"configuration {self.runs[:12]} is given up: {self.kept.why}"
            self._keep()

    def _theirs(self, word: Word, now: int) -> None:
        """What the standby knows: it may have gone back by itself, or know a commit that nobody here does."""
        if not self.node.is_active:
            return
        theirs = Goal.of(word["goal"])
        mine = self.goal
        if mine is not None and theirs is not None and mine.uid == theirs.uid:
            if mine.state == "rolling" and word["why"]:
                self._fail(f"the other member gave it up: {word['why']}", now)
        elif theirs is not None and theirs.open and (mine is None or not mine.open):
            self.goal = theirs
            self._step("the active had forgotten this commit: both members go back to what it runs", now, "failed")

    # --- the turn -----------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """A session that is new is told what is known; a commit under way goes on; a trial is looked after."""
        peer = self.node.mirror.peer
        if peer is not self._peer:
            self._peer, self._sender, self._receiver = peer, None, None
            if peer is not None and self.node.is_active:
                self._tell_goal()
            elif peer is not None:
                self._tell("mine", goal=asdict(self.goal) if self.goal else None, why=self.kept.why)
        if self.kept.trial and not self._restart:
            self._look_after_trial(now)
        if self.goal is not None and self.goal.open:
            if self.node.is_active:
                self._roll(self.goal, now)
            else:
                self._rolling.rest()
