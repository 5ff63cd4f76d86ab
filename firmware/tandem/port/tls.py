"""TLS between the two members: each pins the other's certificate, nobody else gets past the handshake.

The standard library's TLS 1.3 over memory buffers, on top of a `TcpStream`: the node sees plain octets.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from tandem.port.stream import Owner, Stream, TcpStream

_RECORD_OCTETS = 1 << 14  # a TLS record holds no more

HANDSHAKE_S = 3.0
"""Who does not finish the handshake in this time is disconnected."""


@dataclass(slots=True, frozen=True)
class Keys:
    """A member's TLS contexts for both directions, and the peer's certificate (DER) that they must meet."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    peer: bytes


def load_keys(folder: Path) -> Keys:
    """The keys that `tandem pair` made. Raises OSError, ValueError or ssl.SSLError when missing or damaged."""
    peer = ssl.PEM_cert_to_DER_cert((folder / "peer.crt").read_text(encoding="ascii"))
    return Keys(_context(folder, ssl.PROTOCOL_TLS_SERVER), _context(folder, ssl.PROTOCOL_TLS_CLIENT), peer)


def _context(keys: Path, protocol: int) -> ssl.SSLContext:
    made = ssl.SSLContext(protocol)
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    made.check_hostname = False  # the certificate itself is pinned, names and addresses may change
    made.verify_mode = ssl.CERT_REQUIRED
    made.load_cert_chain(keys / "own.crt", keys / "own.key")
    made.load_verify_locations(keys / "peer.crt")
    return made


class TlsStream:
    """A TLS session over TCP with the interface of a `Stream`; `opened` comes after the handshake."""

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: str, owner: Owner, keys: Keys, server: bool) -> None:
        self.channel = channel
        self.owner = owner
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = (keys.server if server else keys.client).wrap_bio(self._in, self._out, server_side=server)
        self._peer = keys.peer
        self._host = ""
        self._deadline: asyncio.TimerHandle | None = None
        self.shaken = False
        self.tcp = TcpStream(loop, channel, self)

    def adopt(self, connected: socket.socket) -> None:
        """Take an accepted connection and shake hands."""
        self._host = connected.getpeername()[0]
        self.tcp.adopt(connected)

    def dial(self, address: tuple[str, int], source: str) -> None:
        """Connect from `source` and shake hands."""
        self.tcp.dial(address, source)

    def opened(self, stream: Stream) -> None:
        """TCP is up."""
        self._deadline = self.tcp.loop.call_later(HANDSHAKE_S, self._late)
        self._advance()

    def received(self, stream: Stream, octets: bytes) -> None:
        """Ciphertext came."""
        self._in.write(octets)
        self._advance()

    def closed(self, stream: Stream, reason: str) -> None:
        """TCP is gone."""
        self._end_deadline()
        self.owner.closed(self, reason if self.shaken or not self._host else f"{self._host}: {reason}")  # type: ignore[arg-type]

    def _late(self) -> None:
        self.tcp.fail(f"no TLS handshake in {HANDSHAKE_S:g} s")

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _advance(self) -> None:
        try:
            if not self.shaken:
                self._tls.do_handshake()
                if self._tls.getpeercert(binary_form=True) != self._peer:
                    raise ssl.SSLError("the certificate is not the peer's")
                self.shaken = True
                self._end_deadline()
                self._flush()
                self.owner.opened(self)  # type: ignore[arg-type]
            while self.shaken and self._in.pending + self._tls.pending() and (plain := self._tls.read(_RECORD_OCTETS)):
                self.owner.received(self, plain)  # type: ignore[arg-type]
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._flush()
            self.tcp.fail(f"TLS: {error.reason or error}")
            return
        self._flush()

    def _flush(self) -> None:
        if self._out.pending:
            self.tcp.write(self._out.read())

    def write(self, octets: bytes) -> None:
        """Encrypt and send."""
        if self.shaken and self.tcp.fd >= 0:
            self._tls.write(octets)
            self._flush()

    def drop_pending(self) -> None:
        """Part of a TLS record cannot be dropped: the session ends with it."""
        if self.tcp._pending:
            self.tcp.fail("it was stalled over a loss of rights")

    def close(self, reset: bool = False) -> None:
        """End it; the owner is not told."""
        self._end_deadline()
        self.tcp.close(reset)
