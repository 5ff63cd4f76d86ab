"""Silence without root: a socket filter that drops every segment before the kernel's TCP sees it.

A filtered listener answers no SYN, a filtered connection acknowledges nothing and hears no FIN or reset: what a
pulled cable does. When the filter goes, the far kernel's retransmission brings the octets, as when the cable is back.
"""

from __future__ import annotations

import ctypes
import socket
import struct

_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_RETURN_ZERO = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_DROP_ALL = struct.pack("HP", 1, ctypes.addressof(_RETURN_ZERO))
_RESET = struct.pack("ii", 1, 0)


def silence(sock: socket.socket, on: bool) -> bool:
    """From now on nothing reaches the socket; or everything does again.

    False where the kernel lets nobody attach a filter without CAP_NET_ADMIN (some do): then its owner must not look at
    the socket. No octet, FIN or reset passes either way; the difference is what the kernel itself acknowledges then.
    """
    if on:
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _DROP_ALL)
        except PermissionError:
            return False
    else:
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        except OSError:
            pass  # it had none
    return True


def reset(sock: socket.socket) -> None:
    """Close with a reset instead of a FIN."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    except OSError:
        pass  # the far end was quicker
    sock.close()
