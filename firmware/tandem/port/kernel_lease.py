"""The kernel lease as the heart holds it: its tables, the renewal in the packet path, the look whether they are there.

A renewal comes back on the socket that sent it, and only if the kernel carried it out: what `alive` says is the
kernel's word.
"""

from __future__ import annotations

import errno
import os
import socket

from tandem.codec import lease
from tandem.codec import nftables as nft
from tandem.port.netlink import NETFILTER, Events, Netlink

_READS_MAX = 64
_HERE = ("127.0.0.1", lease.PORT)


class KernelLease:
    """The lease of one heart."""

    def __init__(self, gates: lease.Gates, lease_ms: int) -> None:
        self.gates = gates
        self.trouble = "it was not loaded yet"
        """Why there is no lease, as a sentence; "" while the tables are as they were loaded."""
        self.about = ""
        self._ms = lease_ms
        self._token = os.urandom(lease.TOKEN_OCTETS)
        self._renewal = lease.datagram(self._token, lease.RENEW)
        self._socket: socket.socket | None = None
        self._netlink: Netlink | None = None
        self._events: Events | None = None
        self._loaded: list[bytes] = []
        self._lives_until = 0

    def load(self) -> None:
        """Load the tables, the lease ended; `trouble` says what came of it."""
        try:
            self._open()
            self.trouble = self._load()
        except OSError as error:
            self.trouble = f"the kernel lease cannot be had: {error.strerror or error}"
        self._lives_until = 0

    def _open(self) -> None:
        if self._netlink is None:
            self._netlink = Netlink(NETFILTER)
            self._events = Events(NETFILTER, nft.GROUP_NFTABLES)
        if self._socket is None:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
            try:
                made.bind(_HERE)
                made.connect(_HERE)
            except OSError as error:
                made.close()
                raise OSError(error.errno, f"UDP port {lease.PORT} of 127.0.0.1: {error.strerror}") from error
            self._socket = made

    def _load(self) -> str:
        assert self._netlink is not None
        for egress in (True, False):
            code = self._netlink.transact(lease.tables(self.gates, self._token, self._ms, egress))
            if not code:
                self._loaded = self._seen()
                self.about = "" if egress else "this kernel has no egress hook: of IPv6 only what comes in is gated"
                return ""
            if code == errno.EPERM:
                return "the kernel lease needs CAP_NET_ADMIN"
        return f"this kernel takes no netdev tables ({os.strerror(code)}): CONFIG_NF_TABLES_NETDEV and veth or a card"

    def _seen(self) -> list[bytes]:
        assert self._netlink is not None
        found: list[bytes] = []
        for family in (nft.NETDEV, nft.INET):
            for question in nft.questions(family, lease.TABLE):
                try:
                    found += [nft.unnumbered(kind, body) for kind, body in self._netlink.dump(question)]
                except OSError:
                    pass  # there is no such table: this is what was seen
        return found

    def fileno(self) -> int:
        """Readable when somebody changed tables; -1: there is nothing to listen to."""
        return self._events.fileno() if self._events is not None else -1

    def changed(self) -> bool:
        """Drain; True when the tables are not what was loaded any more."""
        if self._events is None:
            return False
        told, missed = self._events.read()
        return bool(told or missed) and not self.trouble and self._seen() != self._loaded

    def acquire(self, now: int) -> None:
        """The lease lives from now on."""
        self._say(lease.datagram(self._token, lease.ACQUIRE), now)

    def renew(self, now: int) -> None:
        """It lives on, if it lives."""
        self._say(self._renewal, now)

    def drop(self, now: int) -> None:
        """It ends."""
        self._say(lease.datagram(self._token, lease.DROP), now)
        self._lives_until = 0

    def alive(self, now: int) -> bool:
        """The kernel carried a renewal out, less than the lease's time ago."""
        return now < self._lives_until

    def _say(self, octets: bytes, now: int) -> None:
        if self._socket is None or self.trouble:
            return
        try:
            self._socket.send(octets)
            for _ in range(_READS_MAX):
                if self._socket.recv(16)[lease.TOKEN_OCTETS :] != lease.DROP:
                    self._lives_until = now + self._ms * 1_000_000
        except BlockingIOError:
            pass
        except OSError:
            pass  # refused by another's rules: it lapses, and that is seen

    def close(self) -> None:
        """Take the tables away: nothing stands before the addresses of who runs without this heart."""
        if self._netlink is not None:
            try:
                self._netlink.transact(lease.no_tables())
            except OSError:
                pass
            self._netlink.close()
        if self._events is not None:
            self._events.close()
        if self._socket is not None:
            self._socket.close()
