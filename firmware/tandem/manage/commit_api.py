"""The local API's questions about commits: an upload in lines that fit, an order, and how it stands."""

from __future__ import annotations

from tandem.commit import Commit
from tandem.config.pack import PACK_MAX

LINE_OCTETS = 3000
"""Octets of a pack in one line of the API."""


class CommitApi:
    """One upload at a time; a new one takes the place of one that was left."""

    def __init__(self, commit: Commit) -> None:
        self._commit = commit
        self._parts: list[str] = []
        self._size = 0

    def put(self, asked: dict[str, object]) -> dict[str, object]:
        """{"at": 0, "octets": "..."}: the next part of a pack; 0 begins anew. Raises ValueError."""
        at, octets = asked.get("at"), asked.get("octets")
        if at == 0:
            self._parts, self._size = [], 0
        if at != self._size or not isinstance(octets, str) or not octets.isascii():
            raise ValueError(f"the next part begins at {self._size} and is ASCII text")
        if self._size + len(octets) > PACK_MAX:
            raise ValueError(f"a configuration has at most {PACK_MAX} octets when packed")
        self._parts.append(octets)
        self._size += len(octets)
        return {"at": self._size}

    def order(self, asked: dict[str, object], now: int) -> dict[str, object]:
        """{"do": "status"}, "start" (what was put) or "rollback", these with a "uid". Raises ValueError: a refusal."""
        do, uid = asked.get("do", "status"), str(asked.get("uid", ""))
        if do in ("start", "rollback"):
            pack = "".join(self._parts) if do == "start" else ""
            self._parts, self._size = [], 0
            if not uid or len(uid) > 32 or (do == "start" and not pack):
                raise ValueError("it needs a uid of at most 32 characters, and a start a pack that was put before")
            if refusal := self._commit.start(uid, pack, now):
                raise ValueError(refusal)
        elif do != "status":
            raise ValueError(f"{do!r} cannot be done; start, rollback and status can")
        return {"commit": self._commit.status()}
