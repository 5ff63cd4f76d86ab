"""One direction of a UART on the heap: octets take their time; they can be lost, spoilt, late, or kept back."""

from __future__ import annotations

from collections.abc import Callable

from tools.sim.world import SECOND, World

BAUD = 115_200
_OCTET_NS = 10 * SECOND // BAUD
_FRAME = 30
_STUCK_KEEPS = 4096
_SPOILT = 0.5  # of the writes on a noisy line


class Uart:
    """`arrived` gets the octets of a write together, when its last one is there."""

    def __init__(self, world: World, arrived: Callable[[bytes], None]) -> None:
        self._world = world
        self._arrived = arrived
        self.cut = self.noisy = self.stuck = False
        self.late_ns = 0
        self._free_at = self._last_at = 0
        self._waiting = b""
        self.newest = b""
        """The last write that left."""

    def send(self, octets: bytes) -> None:
        """A write. As the product's, it is left out while the frame before has not left the port."""
        now = self._world.now
        if self._free_at - now >= _FRAME * _OCTET_NS:
            return
        self._free_at = max(now, self._free_at) + len(octets) * _OCTET_NS
        self.newest = octets
        self._last_at = max(self._last_at, self._free_at + self.late_ns)
        self._world.at(self._last_at, lambda: self._comes(octets))

    def _comes(self, octets: bytes) -> None:
        if self.cut:
            return
        if self.noisy:
            octets = self._spoil(octets)
        if self.stuck:
            self._waiting = (self._waiting + octets)[-_STUCK_KEEPS:]
        else:
            self._arrived(octets)

    def _spoil(self, octets: bytes) -> bytes:
        """A flipped bit, octets lost, or octets that nobody sent; beside them other writes pass as they are."""
        draw = self._world.random
        if draw.random() >= _SPOILT:
            return draw.randbytes(draw.randrange(20)) + octets
        at = draw.randrange(len(octets))
        if draw.random() < _SPOILT:
            return octets[:at] + octets[at + draw.randrange(1, 6) :]
        return octets[:at] + bytes((octets[at] ^ 1 << draw.randrange(8),)) + octets[at + 1 :]

    def free(self) -> None:
        """What was stuck comes at once."""
        self.stuck = False
        octets, self._waiting = self._waiting, b""
        if octets:
            self._arrived(octets)

    @property
    def hurt(self) -> bool:
        """Not every octet comes as it was sent, at its time."""
        return self.cut or self.noisy or self.stuck or bool(self.late_ns)

    def heal(self) -> None:
        """A whole line."""
        self.cut = self.noisy = False
        self.late_ns = 0
        self.free()
