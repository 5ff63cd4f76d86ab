"""A long text over the hot-standby link, piece by piece: a few on their way at a time, so that nothing else waits."""

from __future__ import annotations

import hashlib

from tandem.codec.link_commit import PIECE_MAX, Piece
from tandem.config.pack import PACK_MAX

WINDOW = 2
"""Pieces that may be on their way: at 100 Mbit/s they take 6 ms."""


def digest(text: str) -> str:
    """sha256, hex, of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


class Sender:
    """The giving side; `pieces` after every `got`."""

    def __init__(self, text: str) -> None:
        self._octets = text.encode()
        self._sent = self._got = 0
        self.size = len(self._octets)

    def got(self, at: int) -> None:
        """The other side has everything below `at`."""
        self._got = max(self._got, min(at, self._sent))

    def pieces(self) -> list[Piece]:
        """What may be sent now."""
        pieces = []
        while self._sent < self.size and self._sent - self._got < WINDOW * PIECE_MAX:
            pieces.append(Piece(self._sent, self._octets[self._sent : self._sent + PIECE_MAX]))
            self._sent += len(pieces[-1].octets)
        return pieces


class Receiver:
    """The taking side. Raises ValueError with a sentence for a size that is not taken."""

    def __init__(self, size: int, sha: str) -> None:
        if not 0 < size <= PACK_MAX:
            raise ValueError(f"a configuration of {size} octets; at most {PACK_MAX} are taken")
        self._size, self._sha = size, sha
        self._parts: list[bytes] = []
        self.at = 0

    @property
    def whole(self) -> bool:
        """Everything is here."""
        return self.at == self._size

    def take(self, piece: Piece) -> None:
        """The next piece. Raises ValueError for one that is not."""
        if piece.at != self.at or not piece.octets or self.at + len(piece.octets) > self._size:
            raise ValueError(f"a piece at {piece.at} where {self.at} of {self._size} octets are here")
        self._parts.append(piece.octets)
        self.at += len(piece.octets)

    def text(self) -> str:
        """All of it. Raises ValueError where it is not what was announced."""
        octets = b"".join(self._parts)
        if hashlib.sha256(octets).hexdigest() != self._sha:
            raise ValueError("the configuration was damaged on its way")
        return octets.decode()
