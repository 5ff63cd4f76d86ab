"""A supervisor that only shows progress: `python heart_supervisor.py PLAN_JSON`; it claims everything and lives on.

Prints each message of its heart, one a line, the heart's process id first.
"""

from __future__ import annotations

import json
import sys
import time

from tandem.codec import heart as say
from tandem.codec.beat import BeatBody, Role
from tandem.port.heart import HeartClient
from tandem.port.kept_fds import KEPT_MAX

EPOCH = 12


def main() -> None:
    """Claim service and lines as soon as the heart is ready, then turn every 5 ms until killed."""
    plan = json.loads(sys.argv[1])
    heart = HeartClient.spawn_plan(plan)
    print(heart.pid, flush=True)
    for _ in range(KEPT_MAX + 4):
        with open(__file__, "rb") as file:
            heart.keep(file.fileno())
    role = Role.STANDBY
    while True:
        heart.publish(time.monotonic_ns(), BeatBody(role, epoch=EPOCH))
        for message in heart.messages():
            if isinstance(message, say.Ready) and plan["claims"]:
                heart.request(say.ServiceOn(EPOCH, message.permit))
                heart.request(say.LinesOn(EPOCH, message.permit))
                role = Role.ACTIVE
            if not isinstance(message, say.HeartTurn | say.Heard | say.Refused):
                print(message, flush=True)
        time.sleep(0.005)


main()
