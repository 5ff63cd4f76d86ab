"""Netlink sockets: a transaction or a request and its answer at once, dumps, and what the kernel tells unasked."""

from __future__ import annotations

import errno
import os
import socket

from tandem.codec import netlink
from tandem.codec import nftables as nft

ROUTE, NETFILTER = 0, 12
_ANSWER_S = 2.0  # the kernel answers within the call; who waits longer has lost an answer
_OCTETS = 1 << 17
_MISSED = errno.ENOBUFS


class Netlink:
    """One socket that asks. Not for events: an answer is waited for."""

    def __init__(self, protocol: int) -> None:
        """Raises OSError where the kernel has no such protocol."""
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))
        self._socket.settimeout(_ANSWER_S)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def next(self) -> int:
        """A sequence number for the next request."""
        self._sequence += 1
        return self._sequence

    def ask(self, requests: list[bytes]) -> list[int]:
        """Send requests that want an acknowledgement each, in one datagram; returns an errno for each, 0 is done."""
        last = netlink.HEAD.unpack_from(requests[-1])[3]
        results: dict[int, int] = {}
        self._socket.send(b"".join(requests))
        while last not in results:
            for kind, sequence, body in netlink.messages(self._socket.recv(_OCTETS)):
                if kind == netlink.ERROR:
                    results.setdefault(sequence, netlink.error_of(body))
        return [results.get(netlink.HEAD.unpack_from(one)[3], 0) for one in requests]

    def get(self, request: bytes) -> tuple[int, bytes]:
        """(type, body) of the one message that answers; of an ERROR where there is none."""
        wanted = netlink.HEAD.unpack_from(request)[3]
        self._socket.send(request)
        while True:
            for kind, sequence, body in netlink.messages(self._socket.recv(_OCTETS)):
                if sequence == wanted:
                    return kind, body

    def transact(self, objects: list[bytes]) -> int:
        """Carry out a transaction of nf_tables; returns the first errno, 0: all of it was done, else nothing was."""
        self._socket.send(b"".join(nft.batch(objects)))
        waiting, first = set(range(1, len(objects) + 1)), 0
        while waiting:
            for kind, sequence, body in netlink.messages(self._socket.recv(_OCTETS)):
                if kind == netlink.ERROR:
                    first = first or netlink.error_of(body)
                    if sequence == 0:
                        return first  # of the transaction as a whole: there is no more to come
                    waiting.discard(sequence)
        return first

    def dump(self, request: bytes) -> list[tuple[int, bytes]]:
        """(type, body) of everything that a dump lists. Raises OSError."""
        self._socket.send(request)
        found: list[tuple[int, bytes]] = []
        while True:
            for kind, _, body in netlink.messages(self._socket.recv(_OCTETS)):
                if kind == netlink.DONE:
                    return found
                if kind == netlink.ERROR and (code := netlink.error_of(body)):
                    raise OSError(code, os.strerror(code))
                found.append((kind, body))


class Events:
    """What the kernel tells of itself; `fileno` becomes readable."""

    def __init__(self, protocol: int, groups: int) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol
        )
        self._socket.bind((0, groups))

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def read(self) -> tuple[list[tuple[int, bytes]], bool]:
        """((type, body) of what is there, True when some was missed: ask for everything anew)."""
        try:
            return [(kind, body) for kind, _, body in netlink.messages(self._socket.recv(_OCTETS))], False
        except BlockingIOError:
            return [], False
        except OSError as error:
            return [], error.errno == _MISSED
