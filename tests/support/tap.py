"""A wire tap without rights: a proxy before one TCP address, everything that passed is in `capture`."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from types import TracebackType

from tests.support.pcap_writer import End, PcapWriter

_RESET = struct.pack("ii", 1, 0)


class Tap:
    """Listens at 127.0.0.1:`port`, dials `target` from 127.0.0.1, passes octets, ends and resets both ways."""

    def __init__(self, target: End) -> None:
        self.capture = PcapWriter()
        self.target = target
        self.lock = threading.Lock()
        self.connections = 0
        self._began = time.monotonic()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._other: dict[socket.socket, tuple[socket.socket, End, End]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Tap:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End every connection; the capture is whole."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._thread.join(5)
        for sock in list(self._other):
            self._end(sock)
        self._listener.close()
        self._selector.close()

    @property
    def _ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    def _run(self) -> None:
        while not self._stop.is_set():
            for key, _ in self._selector.select(0.05):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                if sock is self._listener:
                    self._accept()
                elif sock in self._other:
                    self._pass(sock)

    def _accept(self) -> None:
        client, name = self._listener.accept()
        try:
            server = socket.create_connection(self.target, 2, ("127.0.0.1", 0))
        except OSError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            client.close()
            return
        self.connections += 1
        with self.lock:
            self.capture.opened(name, self.target, self._ms)
        self._other[client], self._other[server] = (server, name, self.target), (client, self.target, name)
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(sock, selectors.EVENT_READ)

    def _pass(self, sock: socket.socket) -> None:
        to, source, target = self._other[sock]
        try:
            octets = sock.recv(65536)
            if octets:
                with self.lock:
                    self.capture.passed(source, target, octets, self._ms)
                to.sendall(octets)
                return
        except OSError:
            pass  # a reset ends both ways
        self._end(sock)

    def _end(self, sock: socket.socket) -> None:
        if sock not in self._other:
            return
        to, source, target = self._other.pop(sock)
        del self._other[to]
        with self.lock:
            self.capture.closed(source, target, self._ms)
        for one in (sock, to):
            with suppress(KeyError):
                self._selector.unregister(one)
            one.close()
