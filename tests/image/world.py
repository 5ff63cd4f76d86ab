"""What is on the LANs beside the gateways: a meter and a control center in a namespace of this computer."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from tools.image.board import ROOT
from tools.image.wired import Wired
from tools.lab.netns import ip, within

METER, CENTER = "10.77.1.50", "10.77.1.31"
_SIOCETHTOOL, _SET_TX_CHECKSUMS = 0x8946, 0x17
_IP, _ARP = b"\x08\x00", b"\x08\x06"
_TCP, _RST = 6, 4


def _checksums_in_software(interface: str) -> None:
    """A frame that leaves by a raw socket must carry its checksum: no card will put it in."""
    value = ctypes.create_string_buffer(struct.pack("II", _SET_TX_CHECKSUMS, 0), 8)
    with socket.socket() as door:
        fcntl.ioctl(door, _SIOCETHTOOL, struct.pack("16sP", interface.encode(), ctypes.addressof(value)) + bytes(16))


def _is_reset(frame: bytes) -> bool:
    """It ends a TCP session and tells nothing else: a member that has lost its role is to send them."""
    flags = 14 + 4 * (frame[14] & 15) + 13
    return frame[12:14] == _IP and frame[23] == _TCP and len(frame) > flags and bool(frame[flags] & _RST)


class World:
    """One namespace with a leg in each LAN; `spoken`: who spoke for which address, from frames on LAN 1 but resets."""

    def __init__(self, folder: Path, wired: Wired, addresses: tuple[tuple[str, ...], ...]) -> None:
        self.folder = folder
        self.name = f"tandem-{os.getpid()}-image"
        self.spoken: dict[tuple[str, str], int] = {}
        """(Ethernet address, IPv4 address): when it was last seen as a sender, monotonic ns."""
        self._programs: list[subprocess.Popen[bytes]] = []
        self._legs = [f"tqi{os.getpid() % 100000}{number}" for number in range(len(addresses))]
        ip([f"netns add {self.name}"])
        ip(["link set lo up"], self.name)
        for number, (leg, own) in enumerate(zip(self._legs, addresses, strict=True)):
            ip([f"link add {leg} type veth peer name lan{number} netns {self.name}", f"link set {leg} up"])
            ip([f"addr add {address}/24 dev lan{number}" for address in own] + [f"link set lan{number} up"], self.name)
            with within(self.name):
                _checksums_in_software(f"lan{number}")
            wired.hubs[number].tap(leg)
        self._listening = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._listening.bind((self._legs[0], 0))
        self._listening.settimeout(0.5)
        self._thread = threading.Thread(target=self._listen, name="frames", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while True:
            try:
                frame = self._listening.recv(2048)
            except TimeoutError:
                continue
            except OSError:
                return
            sender = frame[26:30] if frame[12:14] == _IP else frame[28:32] if frame[12:14] == _ARP else b""
            if sender and not _is_reset(frame):
                self.spoken[frame[6:12].hex(":"), socket.inet_ntoa(sender)] = time.monotonic_ns()

    def begin(self, module: str, config: Path) -> None:
        """Start one of the bench's programs in there."""
        words = ["ip", "netns", "exec", self.name, sys.executable, "-m", module, "--config", str(config)]
        path = os.pathsep.join((str(ROOT), str(ROOT / "firmware")))
        with (self.folder / f"{module}.log").open("ab") as said:
            self._programs.append(
                subprocess.Popen(
                    [*words, "--dir", str(self.folder)], env={**os.environ, "PYTHONPATH": path}, stderr=said
                )
            )

    def ask(self, name: str, **words: object) -> None:
        """A line to a program's control socket."""
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(self.folder / name))
            door.sendall(json.dumps(words).encode() + b"\n")
            door.recv(4096)

    def lines(self, name: str) -> list[dict[str, object]]:
        """A program's ledger, whole lines."""
        file = self.folder / name
        text = file.read_text() if file.exists() else ""
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def heard(self, point: str = "") -> int:
        """How often the center heard spontaneous events, of one point or of all."""
        lines = (line for line in self.lines("c104.jsonl") if line["what"] == "event" and line["cause"] == 3)
        return sum(1 for line in lines if not point or line["point"] == point)

    def close(self) -> None:
        """Everything ends, and the namespace with it."""
        for program in self._programs:
            program.terminate()
        for program in self._programs:
            program.wait(10)
        self._listening.close()
        subprocess.run(["ip", "netns", "del", self.name], check=False)
