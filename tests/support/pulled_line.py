"""A serial adapter that can be pulled out: a pty of its own before the bench's, with the octets pumped between them."""

from __future__ import annotations

import os
import pty
import select
import threading
import tty
from pathlib import Path


class PulledLine:
    """Stands where the port's link in the run folder was, until `with` ends."""

    def __init__(self, run: Path, link: str) -> None:
        self.link = run / link
        self._true = os.readlink(self.link)
        self._bench = os.open(self._true, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._bench)
        self._master = -1
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._pump, daemon=True)

    def __enter__(self) -> PulledLine:
        self.plug()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(5)
        self.pull()
        os.close(self._bench)
        self.link.symlink_to(self._true)

    def plug(self) -> None:
        """The adapter is there."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(slave))
        with self._lock:
            self._master, self._slave = master, slave

    def pull(self) -> None:
        """The adapter is gone: who has it open gets an error, and there is no such port any more."""
        self.link.unlink(missing_ok=True)
        with self._lock:
            if self._master >= 0:
                os.close(self._slave)
                os.close(self._master)
            self._master = -1

    def _pump(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                ends = [self._bench] + ([self._master] if self._master >= 0 else [])
                for fd in select.select(ends, [], [], 0.001)[0]:
                    self._pass(fd)
            self._stop.wait(0.001)

    def _pass(self, fd: int) -> None:
        try:
            octets = os.read(fd, 4096)
            to = self._bench if fd == self._master else self._master
            if to >= 0:
                os.write(to, octets)
        except OSError:
            pass  # nobody has the other side open now
