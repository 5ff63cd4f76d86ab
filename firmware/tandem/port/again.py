"""The gateway program begins anew by itself: the same command in the same process, with nothing of the old one left.

As a service it ends instead, and its manager starts it: only the manager can give the real-time priority once more.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import NoReturn

from tandem.port.heart import SERVICE

SERVICE_AGAIN = 75
"""Exit code of a service that is to be started again; its unit knows it."""
SHORTEST_LIFE_S = 2.0
"""A start after a shorter life waits for the rest of it: a fault that ends every start must not burn a core."""


def begin_again(began_s: float) -> NoReturn:
    """Replace this process by a fresh start of its own command; `began_s`: monotonic, when this life began.

    The heart must have ended before: it would take the pause for a stall. Locked memory, files and sockets go with
    the old image, the real-time priority does not and is given back first. Raises OSError.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    time.sleep(max(0.0, began_s + SHORTEST_LIFE_S - time.monotonic()))
    if os.environ.get(SERVICE):
        sys.exit(SERVICE_AGAIN)
    logging.shutdown()
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
