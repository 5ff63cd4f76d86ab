"""Descriptors that the heart holds beside their owner, so that the owner's death does not wait for their end."""

from __future__ import annotations

import os
import socket

KEPT_MAX = 16


class KeptFds:
    """The newest KEPT_MAX descriptors that came over one socket."""

    def __init__(self) -> None:
        self._fds: list[int] = []

    def receive(self, link: socket.socket, most: int) -> bytes:
        """One datagram; what came with it is kept, the oldest above the limit closed. Raises OSError as `recv` does."""
        octets, fds, _, _ = socket.recv_fds(link, most, KEPT_MAX)
        self._fds += fds
        while len(self._fds) > KEPT_MAX:
            os.close(self._fds.pop(0))
        return octets
