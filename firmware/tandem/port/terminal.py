"""The console as lines: what a person types comes whole, a password is not shown, a pipe serves as well."""

from __future__ import annotations

import contextlib
import os
import termios

_LINE_MAX = 1 << 20
_ICRNL_MODES = termios.ICRNL | termios.IXON
_LOCAL = termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK


class Terminal:
    """Standard input and output. Everything here returns at once."""

    def __init__(self, source: int = 0, target: int = 1) -> None:
        self._source, self._target = source, target
        self._held = b""
        self._shown = True
        self.ended = False
        """Nobody will type any more."""
        self._before = termios.tcgetattr(source) if os.isatty(source) else None
        self._set(True)

    def fileno(self) -> int:
        """Readable when `lines` has something."""
        return self._source

    def lines(self) -> list[str]:
        """Whole lines since the last call."""
        try:
            octets = os.read(self._source, 65536)
        except OSError:
            octets = b""
        if not octets:
            self.ended = self._before is None or not os.isatty(self._source)
        self._held = (self._held + octets)[-_LINE_MAX:]
        *whole, self._held = self._held.replace(b"\r", b"\n").split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    def write(self, text: str) -> None:
        """Show it, as far as the console takes it."""
        view = memoryview(text.encode())
        with contextlib.suppress(OSError):
            while view:
                view = view[os.write(self._target, view) :]

    def show(self, shown: bool) -> None:
        """Whether what is typed from now on is shown."""
        if shown != self._shown:
            self._shown = shown
            self._set(shown)
            if shown:
                self.write("\n")

    def close(self) -> None:
        """Leave the console as it was."""
        if self._before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._source, termios.TCSADRAIN, self._before)

    def _set(self, shown: bool) -> None:
        if self._before is None:
            return
        modes = termios.tcgetattr(self._source)
        modes[0] |= _ICRNL_MODES
        modes[1] |= termios.OPOST | termios.ONLCR
        modes[3] = modes[3] | _LOCAL if shown else (modes[3] | termios.ICANON) & ~termios.ECHO
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._source, termios.TCSADRAIN, modes)
