"""Real-time priority and locked memory, where the machine permits them."""

from __future__ import annotations

import ctypes
import os

_MCL_CURRENT_FUTURE_ONFAULT = 7  # lock what is touched, not what is merely mapped


def be_realtime(priority: int) -> str:
    """Ask for SCHED_FIFO at `priority` and for locked memory. Returns "" or what was not permitted, in words.

    A service manager that gave the priority already may have forbidden to ask for more.
    """
    refused = []
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    given = policy == os.SCHED_FIFO and os.sched_getparam(0).sched_priority >= priority
    try:
        if not given:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
    except OSError as error:
        refused.append(f"real-time priority: {error.strerror}")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(_MCL_CURRENT_FUTURE_ONFAULT):
        refused.append(f"locked memory: {os.strerror(ctypes.get_errno())}")
    return "; ".join(refused)
