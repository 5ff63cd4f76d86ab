"""Every key of every section of `gateway.toml` that is not a protocol's own, as data."""

from __future__ import annotations

from tandem.config.keys import LONGEST_NAME, Key

FORMAT = 1
"""The newest `format` this gateway reads."""
MAIN_FILE = "gateway.toml"
DEVICE_NAME_LENGTH = 48
"""So that _sys.device.NAME.ok is a point name too."""
_DAY_MS = 86_400_000

TOP = (
    Key("format", "integer", "version of the configuration's format", FORMAT, 1, 1_000_000),
    Key("group", "table", "the redundancy group"),
    Key("lan", "table", "LANs that both members are attached to, by name"),
    Key("serial", "table", "serial lines, by name", {}),
    Key("standby", "table", "how the standby takes over", {}),
    Key("time", "table", "where the time comes from", {}),
    Key("archive", "table", "what is kept on flash of the events", {}),
    Key("master", "tables", "towards the field", []),
    Key("slave", "tables", "towards control centers", []),
)

GROUP = (
    Key("name", "name", "name of the redundancy group", None, 1, 32),
    Key("preferred", "text", "the member that should be active", "none", choices=("a", "b", "none")),
    Key(
        "revert_after_s",
        "integer",
        "healthy and in sync so long before the preferred member takes over",
        300,
        1,
        86400,
        unit="s",
    ),
    Key("remote", "text", "centers may control while this expression over points is true; empty: always", ""),
)

LAN = (
    Key("group", "texts", "addresses that the active owns, with prefix length"),
    Key("a", "table", "member a's interface and address"),
    Key("b", "table", "member b's interface and address"),
    Key("router", "text", "the LAN's default router", ""),
    Key("routes", "tables", "networks behind other routers: { to, via }", []),
    Key("vlan", "integer", "802.1Q tag; 0 is none", 0, 0, 4094),
    Key("reference", "text", "address probed by ARP or ND: the LAN is reachable", ""),
)
LAN_PORT = (
    Key("interface", "text", "the board's interface"),
    Key("address", "texts", "the member's own addresses, with prefix length"),
)
ROUTE = (
    Key("to", "text", "a network with its prefix length"),
    Key("via", "text", "the router, an address of the LAN"),
)

SERIAL = (
    Key("a", "text", "member a's port, a name of board.toml"),
    Key("b", "text", "member b's port, a name of board.toml"),
    Key("baud", "integer", "speed", 9600, 50, 4_000_000, unit="bit/s"),
    Key("data_bits", "integer", "data bits", 8, 7, 8),
    Key("parity", "text", "parity", "none", choices=("none", "even", "odd")),
    Key("stop_bits", "integer", "stop bits", 1, 1, 2),
    Key("mode", "text", "electrical mode", "rs232", choices=("rs232", "rs485-2w", "rs485-4w")),
    Key("rts", "text", "what RTS does", "off", choices=("off", "on", "keyed", "flow")),
    Key("rts_lead_ms", "integer", "keyed: before the first octet", 0, 0, 5000, unit="ms"),
    Key("rts_tail_ms", "integer", "keyed: after the last octet", 0, 0, 5000, unit="ms"),
    Key("turnaround_ms", "integer", "silence between a reply and the next request", 5, 0, 10_000, unit="ms"),
    Key("echo", "boolean", "the port hears its own octets: drop them", False),
    Key(
        "switched",
        "text",
        "who gives the line away; none: a cable between the members",
        "none",
        choices=("role-relay", "own", "none"),
    ),
)

STANDBY = (
    Key("heartbeat_ms", "integer", "beat period", 20, 5, 10_000, unit="ms"),
    Key("dead_after_ms", "integer", "silence on every path", 120, 20, 60_000, unit="ms"),
    Key("paths", "texts", "heartbeat paths: lan.NAME, serial.NAME; the default is every LAN", ()),
    Key("profile", "text", "fast only where `tandem bench stalls` allows it", "normal", choices=("normal", "fast")),
    Key(
        "arbitration",
        "text",
        "what must be true before the lines are taken",
        "software",
        choices=("relays", "witness", "software"),
    ),
    Key("partition", "text", "every path cut and no relays", "serve", choices=("serve", "stop")),
    Key("sync_lease_ms", "integer", "how long the standby believes its last grant", 500, 50, 60_000, unit="ms"),
    Key("confirm_wait_ms", "integer", "how long a device's confirm may wait", 600, 50, 60_000, unit="ms"),
    Key("promote_unsynced", "boolean", "a standby that is not in sync may take over, openly", True),
    Key("stale_after_ms", "integer", "mirror silent so long: points not topical", 2000, 50, 3_600_000, unit="ms"),
    Key("journal", "text", "durable: synced to flash before a confirm", "ram", choices=("ram", "durable")),
    Key("journal_group_ms", "integer", "from one group's write to the next, at least", 10, 0, 1000, unit="ms"),
    Key("soe_records", "integer", "ring size, a power of two", 65536, 2, 16_777_216),
    Key("analog_records", "integer", "ring size, a power of two", 65536, 2, 16_777_216),
    Key("cold_wait_ms", "integer", "alone after a start: how long before serving", 2000, 0, 600_000, unit="ms"),
    Key("drain_timeout_ms", "integer", "how long a switchover waits for open requests", 1000, 0, 60_000, unit="ms"),
    Key("control_expiry_ms", "integer", "a forwarded control older than this is refused", 500, 10, 60_000, unit="ms"),
    Key("witness", "text", "host:port of a granting witness", ""),
    Key("witness_ttl_ms", "integer", "how long the witness grants at a time", 2000, 500, 10_000, unit="ms"),
    Key("comm_events", "text", "how a lost device shows", "device", choices=("device", "points")),
    Key(
        "takeover_scan",
        "text",
        "what masters ask first after a takeover in sync",
        "events",
        choices=("events", "integrity"),
    ),
    Key(
        "lease",
        "text",
        "the kernel's lease on the group addresses; auto: where the kernel has one; required: never active without it",
        "auto",
        choices=("auto", "required", "none"),
    ),
    Key("lease_ms", "integer", "life of the kernel lease without renewal", 60, 10, 10_000, unit="ms"),
    Key(
        "stall_ms",
        "integer",
        "a supervisor without a finished turn for so long is taken down",
        45,
        5,
        10_000,
        unit="ms",
    ),
    Key("condition", "tables", "when to fail over though both are alive", []),
)
PROFILES: dict[str, dict[str, int]] = {
    "normal": {},
    "fast": {"heartbeat_ms": 10, "dead_after_ms": 65, "lease_ms": 25, "stall_ms": 20},
}
"""Other defaults that `profile` brings; a key that is written wins."""
CONDITION = (
    Key("when", "text", "a binary point, lan.NAME.down, master.NAME.down_share > 0.5, center.NAME.missing"),
    Key("for_ms", "integer", "so long here, and not at the peer", 500, 0, 3_600_000, unit="ms"),
)

TIME = (
    Key("sources", "texts", "in order: ptp, pps, ntp, slave:NAME", ()),
    Key("ntp", "texts", "servers", ()),
    Key("zone", "text", "of people's screens; stamps are UTC", "UTC"),
)

ARCHIVE = (
    Key("enabled", "boolean", "keep a sequence-of-events archive in the state folder", True),
    Key("keep_mib", "integer", "size of the archive; then the oldest events go", 256, 2, 1_000_000, unit="MiB"),
    Key("segment_mib", "integer", "size of one of its files", 4, 1, 1024, unit="MiB"),
    Key("sync_ms", "integer", "an event waits so long at most for the write to flash", 5000, 10, 600_000, unit="ms"),
    Key("sync_events", "integer", "so many waiting events are written at once", 1000, 1, 1_000_000),
)

_SCAN = Key("scan", "periods", "named polling groups", {"normal": 1000}, 10, _DAY_MS, unit="ms")
MASTER = (
    Key("name", "name", "name of the instance", None, 1, 32),
    Key("protocol", "text", "protocol of its devices"),
    Key("hot_standby", "boolean", "its points are mirrored and topical on the standby", False),
    _SCAN,
    Key("timeout_ms", "integer", "how long an answer may take", 1000, 5, 600_000, unit="ms"),
    Key("retries", "integer", "of reads; controls are never retried", 2, 0, 20),
    Key("link_timeout_ms", "integer", "how long its devices wait for a confirm", 5000, 50, 600_000, unit="ms"),
    Key("retry_offline_s", "integer", "a dead device is tried this often", 10, 1, 86_400, unit="s"),
    Key("device", "tables", "its devices", []),
    Key("devices", "file", "a list with one row a device, instead of [[master.device]]", ""),
)
ON_SERIAL = (Key("serial", "name", "name of its serial line", None, 1, 32),)
MASTER_ON_LAN = (
    Key("lan", "name", "name of its LAN", None, 1, 32),
    Key("source", "text", "the address that devices see", "group", choices=("group", "own")),
    Key(
        "on_standby",
        "text",
        "what the standby does with the device",
        "none",
        choices=("none", "connected", "polling"),
    ),
    Key(
        "user_timeout_ms",
        "integer",
        "a device's connection ends when what was sent stays unacknowledged so long",
        1000,
        500,
        60_000,
        unit="ms",
    ),
)
DEVICE = (
    Key("name", "name", "prefix of its points", None, 1, LONGEST_NAME),
    Key("points", "file", "its point list"),
    Key("enabled", "boolean", "false: its points exist, quality invalid, no alarm", True),
    Key("description", "text", "for people", ""),
)
DEVICE_ON_LAN = (Key("host", "text", "its IP address"),)

SLAVE = (
    Key("name", "name", "name of the instance", None, 1, 32),
    Key("protocol", "text", "protocol of its control centers"),
    Key(
        "hot_standby",
        "text",
        "what runs on the standby",
        "disabled",
        choices=("disabled", "acquisition", "acquisition-and-control"),
    ),
    Key("points", "file", "its slave list"),
    Key("serve_after", "text", "valid, at-once, or seconds", "valid"),
    Key("controls", "text", "which controls are accepted", "any", choices=("any", "sbo", "none")),
    Key("clock_sync", "text", "what a clock message does", "answer", choices=("accept", "answer", "refuse")),
    Key("select_timeout_ms", "integer", "how long a select holds", 10_000, 100, 600_000, unit="ms"),
    Key(
        "max_command_age_ms",
        "integer",
        "a time-tagged command older than this is refused; 0: not checked",
        0,
        0,
        600_000,
        unit="ms",
    ),
    Key("remote", "text", "its centers may control while this expression over points is true; empty: always", ""),
    Key("center", "tables", "its control centers"),
)
SLAVE_ON_LAN = (
    Key("lan", "name", "name of its LAN", None, 1, 32),
    Key(
        "keepalive_s",
        "integer",
        "the kernel asks a silent center after so long, and three times more; 0: never",
        10,
        0,
        7200,
        unit="s",
    ),
)
CENTER = (
    Key("name", "name", "name of the control center", None, 1, 32),
    Key("session", "text", "one cursor for both members, or one on each", "group", choices=("group", "each-member")),
    Key("analog_events", "text", "every change, or the newest of each point", "all", choices=("all", "last")),
)
CENTER_ON_LAN = (Key("hosts", "texts", "networks that its front ends connect from"),)

POINT = (
    Key("name", "name", "relative to the device", None, 1, LONGEST_NAME),
    Key("kind", "text", "what the point is"),
    Key("address", "text", "in the protocol's own syntax"),
    Key("scan", "text", "its polling group; empty on an output: not read", ""),
    Key("scale", "number", "engineering = raw x scale + offset", 1.0),
    Key("offset", "number", "engineering = raw x scale + offset", 0.0),
    Key("unit", "text", "for people", ""),
    Key("deadband", "number", "engineering units, 0 is every change", 0.0, 0, 1e15),
    Key("states", "texts", "names of 0|1, of a double off|on", ()),
    Key("settle_ms", "integer", "a double's intermediate state is stored after", 0, 0, 600_000, unit="ms"),
    Key("pulse_ms", "integer", "on-time of an output; empty is latched", 0, 1, 600_000, unit="ms"),
    Key("feedback", "text", "POINT within MS", ""),
    Key("interlock", "text", "on: or off:, and an expression", ""),
    Key("idempotent", "boolean", "a control may be repeated", False),
    Key("description", "text", "for people", ""),
)

_ROW_POINT = Key("point", "text", "full name of the point")
ROW_SCALING = (
    Key("scale", "number", "wire = engineering x scale + offset", 1.0),
    Key("offset", "number", "wire = engineering x scale + offset", 0.0),
    Key("deadband", "number", "engineering units, 0 is every change", 0.0, 0, 1e15),
    Key("invert", "boolean", "0 is served as 1", False),
    Key("control", "text", "sbo: select first; direct: without", "", choices=("", "direct", "sbo")),
)
ROW = (_ROW_POINT, Key("address", "text", "in the protocol's own syntax"), *ROW_SCALING)
