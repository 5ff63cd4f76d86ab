"""`python -m tandem VERB ...`: every verb is a module of `manage` with a `run(argv) -> exit code`."""

from __future__ import annotations

import importlib
import sys

VERBS = {
    "gateway": ("gateway", "run one member of a redundancy group"),
    "check": ("check", "verify a configuration and name every fault"),
    "pair": ("pair", "make the keys with which two members know each other"),
    "first-boot": ("firstboot", "ask on the console who this member is, pair it, and write it down"),
    "witness": ("witness", "grant one member at a time to serve alone, on a third machine"),
    "status": ("ask", "what a running gateway is doing"),
    "points": ("ask", "the points of a running gateway"),
    "events": ("ask", "the newest events of a running gateway"),
    "event": ("ask", "where one event is: mirrored, delivered, confirmed"),
    "switchover": ("ask", "order a running gateway to hand its role over"),
    "control": ("operate", "control a point of a running gateway"),
    "controls": ("operate", "the control log of a running gateway"),
    "tag": ("operate", "block the controls of a point"),
    "untag": ("operate", "take the tag of a point off"),
    "tags": ("operate", "the tags that block points"),
    "out": ("operate", "put a member out of service, for a reason"),
    "in": ("operate", "put a member back into service"),
    "rearm": ("operate", "let the role go back to the preferred member again"),
    "reset-statistics": ("ask", "let the statistics of a running gateway begin anew"),
    "system-points": ("system_points", "the points in which a gateway tells of itself"),
    "archive": ("archive", "the events on flash, by time and point"),
    "bench": ("bench", "stalls: how late this board wakes its processes, and which profile it may use"),
    "commit": ("commit", "change the configuration of both running members, one after the other"),
    "log": ("log", "what the gateway said, from the system's journal"),
    "shell": ("shell", "the login shell of people on an image"),
    "network": ("network", "tell the operating system of addresses, doors and time sources"),
    "clean": ("clean", "remove what a killed gateway left behind: group addresses, the lease, GPIO outputs"),
    "decode": ("decode", "explain every frame of a capture"),
}


def main(argv: list[str]) -> int:
    """Run a verb; without one, print them."""
    if not argv or argv[0] not in VERBS:
        print("usage: python -m tandem VERB ...", *(f"  {v:16} {about}" for v, (_, about) in VERBS.items()), sep="\n")
        return 0 if not argv or argv[0] in ("-h", "--help") else 2
    module = importlib.import_module(f"tandem.manage.{VERBS[argv[0]][0]}")
    rest = argv if VERBS[argv[0]][0] in ("ask", "operate") else argv[1:]
    return int(module.run(rest))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
