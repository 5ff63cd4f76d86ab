"""Two members' commits joined by their mirrors' wire, with a state folder each that survives a restart, for tests."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

from tandem import kept as keep
from tandem.action import Persist, Restart, Stage
from tandem.codec.beat import Role
from tandem.commit import Commit
from tandem.parts import Parts
from tandem.point import MS, Say

OLD, NEW, NEWER = "aa" * 32, "bb" * 32, "cc" * 32
TABLES = {OLD: "01" * 32, NEW: "02" * 32, NEWER: "03" * 32}


class Hello:
    """What a mirror knows of its peer."""

    def __init__(self, member: CommitMember) -> None:
        self.active, self.config, self.nonce = member.active, bytes.fromhex(member.runs), member.boots


class CommitMember:
    """A member around its `Commit`: `flash` survives a `boot`; with a configuration of `bad` it never gets in sync."""

    def __init__(self, letter: str, active: bool) -> None:
        self.letter, self.active = letter, active
        self.flash = {keep.FILE: keep.Kept(running=OLD).to_json()}
        self.packs = {OLD}
        self.boots = 0
        self.bad: set[str] = set()
        self.unwell = ""
        self.alive = True
        self.slow_flash = False
        self.said: list[str] = []
        self.inbox: list[object] = []
        self.boot()

    def boot(self) -> None:
        self.boots += 1
        self.alive, self.peer, self.in_sync = True, None, False
        self.actions: list[object] = []
        self.out: list[object] = []
        kept = keep.read(self.flash[keep.FILE])
        if kept.trial > keep.TRIAL_STARTS:
            kept = kept.give_up("it was never healthy")
        elif kept.trial:
            kept = keep.replace(kept, trial=kept.trial + 1)
        self.flash[keep.FILE] = kept.to_json()
        self.runs = kept.running
        table = SimpleNamespace(digest=lambda: bytes.fromhex(TABLES[self.runs]))
        self.mirror = SimpleNamespace(
            peer=None, tell=self.out.append, alike=lambda tables: None, registry_json="", ordered=""
        )
        self.service = SimpleNamespace(doors_shut={})
        node = SimpleNamespace(
            config=SimpleNamespace(digest=self.runs), member=self.letter, table=table, mirror=self.mirror,
            clock=SimpleNamespace(stamp=lambda now: (now // 1000, 0)), service=self.service,
            view=SimpleNamespace(health=1, hears_me=True, in_sync=True, role=Role.STANDBY),
            is_active=self.active, in_sync=False,
            role=SimpleNamespace(own=SimpleNamespace(health=1), role=Role.STANDBY, order=self._order),
            ask=self.actions.append, restart=lambda why: self.actions.append(Restart(why)),
        )  # fmt: skip
        self.node = node
        self.commit = Commit(cast(Parts, node), kept)

    def _order(self, word: str, now: int) -> str:
        self.mirror.ordered = word
        return "releasing"

    def step(self, now: int) -> None:
        node = self.node
        node.is_active, node.in_sync = self.active, self.in_sync
        node.role.role = Role.ACTIVE if self.active else Role.STANDBY
        node.role.own.health = 0 if self.active and self.runs in self.bad else 1
        for message in self.inbox:
            self.commit.heard(message, now)  # type: ignore[arg-type]
        self.inbox = []
        self.commit.tick(now)
        actions, self.actions[:] = list(self.actions), []
        for action in actions:
            self._do(action, now)

    def _do(self, action: object, now: int) -> None:
        match action:
            case Persist(name, text) if not self.slow_flash:
                self.flash[name] = text
                self.commit.persisted(action, "")
            case Stage(pack, name, given):
                self.commit.staged(self._stage(pack or name, given), now)
            case Restart():
                self.boot()
            case Say(text):
                self.said.append(text)

    def _stage(self, pack: str, given: bool) -> dict[str, Any]:
        name = pack.strip()
        if name not in TABLES:
            return {"why": f"{name} has faults"}
        if not given and name not in self.packs and not pack:
            return {"why": "it is not here"}
        self.packs.add(name)
        tables = {one: TABLES[one] for one in (self.runs, name)}
        return {"id": name, "pack": name, "registry": "{}", "tables": tables, "about": "2 points"}


class CommitPair:
    """Both members; `run` lets time pass, with sessions, sync and switchovers as the rest of a gateway makes them."""

    def __init__(self) -> None:
        self.a, self.b = CommitMember("a", True), CommitMember("b", False)
        self.now = 1_000 * MS
        self._joined: tuple[int, int, bool] = (0, 0, False)
        self._joined_at = 0
        self.cut = False

    @property
    def active(self) -> CommitMember:
        return self.a if self.a.active else self.b

    @property
    def standby(self) -> CommitMember:
        return self.b if self.a.active else self.a

    def run(self, seconds: float) -> None:
        end = self.now + int(seconds * 1000) * MS
        while self.now < end:
            self.now += 50 * MS
            self._session()
            for member in (self.a, self.b):
                if member.alive:
                    member.step(self.now)
            self._carry()
            self._switch()

    def until(self, state: str, seconds: float = 300.0) -> None:
        """Until both members say that the commit is in that state."""
        end = self.now + int(seconds * 1000) * MS
        while any(m.commit.goal is None or m.commit.goal.state != state for m in (self.a, self.b)):
            assert self.now < end, (state, self.steps())
            self.run(0.2)

    def steps(self) -> list[str]:
        goal = self.active.commit.goal
        return [f"{member}: {text}" for _, member, text in goal.steps] if goal else []

    def die(self, member: CommitMember) -> None:
        """The power goes: what was not on flash is gone; the other member serves."""
        other = self.b if member is self.a else self.a
        if member.active and other.alive:
            other.active, member.active = True, False
        member.alive = False

    def _session(self) -> None:
        a, b = self.a, self.b
        joined = (a.boots, b.boots, a.active)
        if not (a.alive and b.alive) or self.cut:
            joined = (0, 0, False)
        if joined != self._joined:
            self._joined, self._joined_at = joined, self.now
            a.out.clear()
            b.out.clear()
            a.inbox, b.inbox = [], []
            up = joined != (0, 0, False)
            a.mirror.peer, b.mirror.peer = (Hello(b), Hello(a)) if up else (None, None)
        unsound = any(m.runs in m.bad for m in (a, b) if not m.active)
        a.in_sync = b.in_sync = bool(joined[0]) and not unsound and self.now - self._joined_at >= 300 * MS

    def _switch(self) -> None:
        for member, other in ((self.a, self.b), (self.b, self.a)):
            if member.mirror.ordered and member.active and other.alive and not member.out and not other.inbox:
                member.active, other.active = False, True
                member.mirror.ordered = ""

    def _carry(self) -> None:
        for member, other in ((self.a, self.b), (self.b, self.a)):
            if member.alive and other.alive and member.mirror.peer is not None:
                other.inbox += member.out
            member.out.clear()


def goal_of(member: CommitMember) -> dict[str, Any]:
    """The commit as it stands on flash."""
    return dict(json.loads(member.flash[keep.FILE])["goal"] or {})
