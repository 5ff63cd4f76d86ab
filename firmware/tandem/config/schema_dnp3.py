"""The keys of DNP3 (IEEE 1815), serial and TCP, masters and outstations."""

from __future__ import annotations

from tandem.config.keys import Key

_HIGHEST = 65519
_LINK = (
    Key("link_confirm", "text", "confirmed link frames", "never", choices=("never", "multi-fragment", "always")),
    Key("link_retries", "integer", "of a confirmed link frame", 2, 0, 20),
    Key("keep_alive_s", "integer", "idle until the link is tested; 0: never", 60, 0, 86_400, unit="s"),
    Key("max_fragment_octets", "integer", "sent in one fragment", 2048, 249, 65_536),
    Key("max_receive_octets", "integer", "accepted in one fragment", 2048, 249, 65_536),
)
_COLLISION = (
    Key("idle_wait_ms", "integer", "silence on the line before sending unasked", 0, 0, 60_000, unit="ms"),
    Key("back_off_ms", "integer", "at most so much random waiting after it", 0, 0, 60_000, unit="ms"),
)
_CLASSES = ("", "1", "2", "3")

MASTER = (
    Key("local_address", "integer", "the master's own link address", 1, 0, _HIGHEST),
    *_LINK,
    Key("integrity_poll_s", "integer", "all classes this often; 0: at the start only", 3600, 0, 604_800, unit="s"),
    Key("class1_poll_ms", "integer", "0: not by itself", 1000, 0, 86_400_000, unit="ms"),
    Key("class2_poll_ms", "integer", "0: not by itself", 5000, 0, 86_400_000, unit="ms"),
    Key("class3_poll_ms", "integer", "0: not by itself", 5000, 0, 86_400_000, unit="ms"),
    Key("unsolicited", "boolean", "enable unsolicited responses", True),
    Key("unsolicited_classes", "texts", "enabled classes", ("1", "2", "3"), choices=_CLASSES),
    Key("time_sync", "text", "answer to need-time", "non-lan", choices=("none", "non-lan", "lan")),
    Key("control_mode", "text", "function of a control", "direct", choices=("direct", "select-operate")),
    Key("clear_restart", "boolean", "clear a device's restart indication", True),
    Key("integrity_on_overflow", "boolean", "integrity poll after a device's buffer overflowed", True),
)
MASTER_TCP = (Key("connect_timeout_ms", "integer", "how long a connection may take", 3000, 50, 120_000, unit="ms"),)
MASTER_SERIAL = _COLLISION
DEVICE = (
    Key("address", "integer", "link address", None, 0, _HIGHEST),
    Key("local_address", "integer", "the master's address towards it; -1: as its master", -1, -1, _HIGHEST),
    Key("unsolicited", "boolean", "may it report unasked", True),
    Key("time_sync", "text", "empty: as its master", "", choices=("", "none", "non-lan", "lan")),
)
DEVICE_TCP = (Key("tcp_port", "integer", "port", 20000, 1, 65535),)
POINT = (
    Key("class", "integer", "assigned at the start; empty: the device's own; 0: no events", -1, 0, 3),
    Key("control_code", "text", "operation of a crob", "", choices=("", "latch", "pulse", "trip-close")),
)

SLAVE = (
    Key("local_address", "integer", "the outstation's own link address", 1024, 0, _HIGHEST),
    *_LINK,
    Key("link_timeout_ms", "integer", "until a link frame is confirmed", 1000, 10, 60_000, unit="ms"),
    Key("self_address", "boolean", "answer to address 65532", False),
    Key("confirm_timeout_ms", "integer", "until events are confirmed", 5000, 100, 600_000, unit="ms"),
    Key("unsolicited", "boolean", "report unasked once a master enabled it", False),
    Key("unsolicited_classes", "texts", "classes that may", ("1", "2", "3"), choices=_CLASSES),
    Key("unsolicited_timeout_ms", "integer", "until one is confirmed", 5000, 100, 600_000, unit="ms"),
    Key("unsolicited_retries", "integer", "-1: for ever", -1, -1, 1000),
    Key("unsolicited_offline_s", "integer", "pause after the last of them", 60, 1, 86_400, unit="s"),
    Key("hold_count", "integer", "report after so many events", 10, 1, 10_000),
    Key("hold_ms", "integer", "or so long after the first", 1000, 0, 600_000, unit="ms"),
    Key("need_time_s", "integer", "ask for the time this often; 0: never", 0, 0, 604_800, unit="s"),
    Key("deadband_write", "boolean", "a master may write deadbands (group 34)", True),
    Key("assign_class", "boolean", "a master may assign classes", True),
    Key("freeze", "boolean", "a master may freeze counters", True),
    Key("cold_restart", "text", "answer to a restart request", "refuse", choices=("refuse", "sessions")),
    Key("max_controls", "integer", "objects in one request", 16, 1, 255),
)
SLAVE_SERIAL = _COLLISION
SLAVE_TCP = (
    Key("tcp_port", "integer", "port", 20000, 1, 65535),
    Key("udp", "boolean", "answer on the same UDP port", False),
    Key(
        "second_connection",
        "text",
        "a front end connects while one is connected",
        "replace",
        choices=("replace", "refuse"),
    ),
)
CENTER = (
    Key("master_address", "integer", "its link address", 1, 0, _HIGHEST),
    Key("check_address", "boolean", "refuse any other", True),
)
TYPES: dict[str, tuple[str, ...]] = {
    "binary": ("binary", "binary-output"),
    "double": ("double", "binary"),
    "analog": ("analog", "analog-output", "counter", "step"),
    "counter": ("counter",),
    "crob": ("binary-output", "double-output", "step-output"),
    "analog-output": ("analog-output",),
}
"""Object types of an outstation's list, and the kinds that each may serve."""
STATIC_GROUPS = {"binary": 1, "double": 3, "analog": 30, "counter": 20, "crob": 10, "analog-output": 40}
EVENT_GROUPS = {"binary": 2, "double": 4, "analog": 32, "counter": 22, "crob": 11, "analog-output": 42}
ROW = (
    Key("type", "text", "object type", None, choices=tuple(TYPES)),
    Key("class", "integer", "event class; 0: no events", 1, 0, 3),
    Key("variation", "text", "static variation such as g30v2; empty: the usual one", ""),
    Key("event_variation", "text", "event variation such as g32v4; empty: the usual one", ""),
)
