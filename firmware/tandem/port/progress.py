"""The page that supervisor and heart share: progress and the beat's words one way; the heart's last turn and the newest
usual beat the other.

offset size  field (u64, native order)
     0    8  sequence      odd while the supervisor writes: a seqlock
     8    8  turn          finished turns of the supervisor
    16    8  at_ns         monotonic time of the last one
    24   48  body          role, health, flags, epoch, head, released
    72    8  heart_ns      monotonic time of the heart's last turn
    80    8  told          datagrams that the heart has sent to the supervisor
    88    8  sequence      odd while the heart writes a beat
    96   24  path, at_ns, echo age in ns, of the newest usual beat
   120   48  that beat's body of 42 octets, padded
   168   64  fresh         by path: when the newest usual beat came (monotonic ns), 0: none; the first eight paths
"""

from __future__ import annotations

import mmap
import os

from tandem.codec.beat import BODY, BeatBody, pack_body, unpack_body
from tandem.codec.heart import Heard

PAGE_SIZE = 4096
PATHS_NOTED = 8
_TOLD, _SEQUENCE, _PATH, _AT, _AGE, _BODY, _FRESH = 10, 11, 12, 13, 14, 120, 21
_READS_MAX = 8


class Progress:
    """One shared page, mapped from a descriptor that both processes hold."""

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, PAGE_SIZE)
        self._words = memoryview(self._map).cast("Q")
        self._last = (0, BeatBody())
        self._noted = (0, 0)  # nonce and counter of the newest beat
        self._looked = 0

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

    @property
    def told(self) -> int:
        """Datagrams that the heart has sent."""
        return self._words[_TOLD]

    @told.setter
    def told(self, datagrams: int) -> None:
        self._words[_TOLD] = datagrams

    def note(self, heard: Heard) -> None:
        """Heart: a usual beat came. The copies of it over further paths say when, and no more."""
        path, at_ns, age_ns, beat = heard
        words = self._words
        if path < PATHS_NOTED:
            words[_FRESH + path] = at_ns
        if (beat.nonce, beat.counter) == self._noted:
            return
        self._noted = beat.nonce, beat.counter
        words[_SEQUENCE] += 1
        words[_PATH], words[_AT], words[_AGE] = path, at_ns, age_ns
        self._map[_BODY : _BODY + BODY.size] = pack_body(beat)
        words[_SEQUENCE] += 1

    def noted(self) -> Heard | None:
        """Supervisor: the newest usual beat, once; None when none came since, or one is just being written."""
        words = self._words
        before = words[_SEQUENCE]
        if before == self._looked or before & 1:
            return None
        path, at_ns, age_ns = words[_PATH], words[_AT], words[_AGE]
        beat = unpack_body(self._map[_BODY : _BODY + BODY.size])
        if beat is None or words[_SEQUENCE] != before:
            return None
        self._looked = before
        return Heard(path, at_ns, age_ns, beat)

    def fresh(self) -> tuple[int, ...]:
        """By path: when the newest usual beat came (monotonic ns), 0: none did."""
        return tuple(self._words[_FRESH : _FRESH + PATHS_NOTED])

    def close(self) -> None:
        """Unmap the page."""
        self._words.release()
        self._map.close()
