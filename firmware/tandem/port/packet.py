"""Packet sockets on one interface, behind a filter in the kernel: what does not pass it costs this process nothing."""

from __future__ import annotations

import socket
import struct
from array import array

from tandem.codec import bpf

_SO_ATTACH_FILTER = 26


def packet_socket(device: str, ether_type: int, program: bytes) -> socket.socket:
    """A socket for frames of one type that `program` lets pass; it hears nothing before the filter stands.

    Raises OSError: no right (CAP_NET_RAW), or no such interface.
    """
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    opened = socket.socket(socket.AF_PACKET, kind, 0)
    try:
        attach(opened, program)
        opened.bind((device, ether_type))
    except OSError:
        opened.close()
        raise
    return opened


def attach(opened: socket.socket, program: bytes) -> None:
    """From now on the socket is given only what the program lets pass. Raises OSError."""
    code = array("B", program)  # it has an address without ctypes, which would cost the heart a megabyte
    where, octets = code.buffer_info()
    opened.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", octets // bpf.INSTRUCTION.size, where))
