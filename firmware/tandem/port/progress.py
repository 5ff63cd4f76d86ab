"""The page that supervisor and heart share: progress and the beat's words one way, the heart's last turn the other.

offset size  field (u64, native order)
     0    8  sequence      odd while the supervisor writes: a seqlock
     8    8  turn          finished turns of the supervisor
    16    8  at_ns         monotonic time of the last one
    24   48  body          role, health, flags, epoch, head, released
    72    8  heart_ns      monotonic time of the heart's last turn
"""

from __future__ import annotations

import mmap
import os

from tandem.codec.beat import BeatBody

PAGE_SIZE = 4096
_READS_MAX = 8


class Progress:
    """One shared page, mapped from a descriptor that both processes hold."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, PAGE_SIZE)
        self._words = memoryview(self._map).cast("Q")
        self._last = (0, BeatBody())

    @staticmethod
    def create() -> int:
        """A descriptor of a fresh page, to be mapped here and inherited by the heart."""
        fd = os.memfd_create("tandem-progress", os.MFD_CLOEXEC)
        os.ftruncate(fd, PAGE_SIZE)
        return fd

    def publish(self, at_ns: int, body: BeatBody) -> None:
        """Supervisor: a turn is finished, and this is what the beats say from now on."""
        words = self._words
        words[0] += 1
        words[2] = at_ns
        words[3], words[4], words[5], words[6], words[7], words[8] = body
        words[1] += 1
        words[0] += 1

    def read(self) -> tuple[int, BeatBody]:
        """Heart: (finished turns, body). A writer that stands still inside its write gives what was read before."""
        words = self._words
        for _ in range(_READS_MAX):
            before = words[0]
            turn = words[1]
            if turn == self._last[0]:
                return self._last
            body = BeatBody(words[3], words[4], words[5], words[6], words[7], words[8])
            if not before & 1 and words[0] == before:
                self._last = (turn, body)
                return self._last
        return self._last

    @property
    def heart_ns(self) -> int:
        """When the heart last finished a turn; 0 before its first."""
        return self._words[9]

    @heart_ns.setter
    def heart_ns(self, at_ns: int) -> None:
        self._words[9] = at_ns

    def close(self) -> None:
        """Unmap the page."""
        self._words.release()
        self._map.close()
