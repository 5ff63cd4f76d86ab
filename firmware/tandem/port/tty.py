"""A serial port as a bare non-blocking descriptor, set up with termios: for the heart, which imports nothing heavy."""

from __future__ import annotations

import os
import termios

_SIZES = {5: termios.CS5, 6: termios.CS6, 7: termios.CS7, 8: termios.CS8}


def open_raw(device: str, baud: int, data_bits: int, parity: str, stop_bits: int) -> int:
    """Open `device` raw. Raises OSError when it is not there or cannot be set up so."""
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise OSError(f"{device}: this system has no serial speed of {baud}; use one like 9600, 19200 or 115200")
    fd = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        control = _SIZES[data_bits] | termios.CREAD | termios.CLOCAL
        if parity != "none":
            control |= termios.PARENB | (termios.PARODD if parity == "odd" else 0)
        if stop_bits == 2:
            control |= termios.CSTOPB
        characters = termios.tcgetattr(fd)[6]
        characters[termios.VMIN], characters[termios.VTIME] = 0, 0
        termios.tcsetattr(fd, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
        termios.tcflush(fd, termios.TCIOFLUSH)
    except termios.error as error:
        os.close(fd)
        raise OSError(f"{device}: {error}") from error
    return fd
