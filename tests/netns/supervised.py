"""A supervisor that only turns: `python supervised.py CONFIG MEMBER BOARD KEY [claims]`; it claims at once if told so.

It accepts at port 9999 of every address, from the group's with the product's rules, and prints what its heart tells.
"""

from __future__ import annotations

import select
import socket
import sys
import time

from tandem.codec import heart as say
from tandem.codec.beat import BeatBody, Role
from tandem.config.load import load
from tandem.config.model import Member
from tandem.port.board import load_board
from tandem.port.heart import HeartClient
from tandem.port.tcp_rules import TcpRules

PORT, EPOCH = 9999, 12


def _listen() -> socket.socket:
    made = socket.socket(socket.AF_INET6)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("::", PORT))
    made.listen()
    made.setblocking(False)
    return made


def main() -> None:
    """Turn every 5 ms until killed."""
    config, letter, board, key = sys.argv[1:5]
    member: Member = "b" if letter == "b" else "a"
    heart = HeartClient.spawn(load(config), member, load_board(board, member), bytes.fromhex(key), priority=20)
    print("heart", heart.pid, flush=True)
    door, taken = _listen(), []
    role = Role.STANDBY
    while True:
        heart.publish(time.monotonic_ns(), BeatBody(role, epoch=EPOCH))
        for message in heart.messages():
            if isinstance(message, say.Ready) and "claims" in sys.argv:
                heart.request(say.ServiceOn(EPOCH, message.permit))
                role = Role.ACTIVE
            if not isinstance(message, say.HeartTurn | say.Heard | say.Refused):
                print(message, flush=True)
        if select.select([door], [], [], 0.005)[0]:
            connection = door.accept()[0]
            TcpRules(1000, 10, True).apply(connection)
            taken.append(connection)


main()
