"""The keys of IEC 60870-5-101 and -104, masters and slaves, and the standard's type names."""

from __future__ import annotations

from tandem.config.keys import Key

_TIMERS = (
    Key("t0_s", "integer", "establishing a connection", 30, 1, 255, unit="s"),
    Key("t1_s", "integer", "acknowledgement of what was sent", 15, 1, 255, unit="s"),
    Key("t2_s", "integer", "acknowledging without data to send; below t1_s", 10, 1, 255, unit="s"),
    Key("t3_s", "integer", "idle until a test frame", 20, 1, 172_800, unit="s"),
    Key("k", "integer", "APDUs sent before an acknowledgement", 12, 1, 32767),
    Key("w", "integer", "APDUs received before an acknowledgement; at most two thirds of k", 8, 1, 32767),
)
_SIZES = (
    Key("link_address_octets", "integer", "0 in balanced mode only", 1, 0, 2),
    Key("cause_octets", "integer", "octets of the cause of transmission", 1, 1, 2),
    Key("common_address_octets", "integer", "octets of the common address", 1, 1, 2),
    Key("object_address_octets", "integer", "octets of the object address", 2, 1, 3),
    Key("max_frame_octets", "integer", "L of the frame", 255, 20, 255),
)
_LINK = (
    Key("link_mode", "text", "transmission procedure", "unbalanced", choices=("unbalanced", "balanced")),
    Key("link_address", "integer", "of the controlled station", 1, 0, 65534),
    Key("link_retries", "integer", "of a frame without answer", 3, 0, 20),
    Key("link_test_s", "integer", "balanced: idle until the link is tested; 0: never", 0, 0, 86_400, unit="s"),
    Key("single_char_ack", "boolean", "E5 instead of a short frame", True),
)
_TIME_TAG = Key("time_tag", "text", "time of events", "cp56", choices=("cp24", "cp56"))
_MASTER = (
    Key("originator", "integer", "originator address", 0, 0, 255),
    Key("interrogation_s", "integer", "of the station this often; 0: at the start only", 0, 0, 604_800, unit="s"),
    Key("counter_interrogation_s", "integer", "this often; 0: never", 0, 0, 604_800, unit="s"),
    Key("counter_freeze", "boolean", "freeze before counters are asked", False),
    Key("clock_sync_s", "integer", "set the devices' clocks this often; 0: never", 0, 0, 604_800, unit="s"),
    Key("command_timeout_ms", "integer", "until activation is confirmed", 10_000, 100, 600_000, unit="ms"),
    Key("command_time_tag", "boolean", "send commands with time", False),
    Key("select", "boolean", "the gateway itself selects before it executes", False),
    Key("short_pulse_ms", "integer", "pulses up to this are sent as short, others as long", 100, 1, 60_000, unit="ms"),
    Key("accept_end_of_init", "boolean", "interrogate when a station says that it restarted", True),
)
MASTER_104 = (*_TIMERS, *_MASTER)
MASTER_101 = (
    *_LINK[:1],
    *_LINK[2:],
    *_SIZES,
    _TIME_TAG,
    *_MASTER,
    Key("delay_acquisition", "boolean", "measure the line's delay before a clock is set", False),
    Key("class2_poll_ms", "integer", "unbalanced: class 2 period", 1000, 10, 600_000, unit="ms"),
)
DEVICE_104 = (
    Key("address", "integer", "common address", None, 1, 65534),
    Key("tcp_port", "integer", "port", 2404, 1, 65535),
    Key("second_host", "text", "the same station at a second IP address", ""),
)
DEVICE_101 = (
    Key("address", "integer", "common address", None, 1, 65534),
    Key("link_address", "integer", "link address; -1: as the common address", -1, -1, 65534),
)
POINT = (
    Key("type", "text", "of an output: the command's standard name", ""),
    Key("select", "text", "of an output: as its master, or otherwise", "", choices=("", "yes", "no")),
)

_SLAVE = (
    Key("common_address", "integer", "of the station", None, 1, 65534),
    Key("cyclic_ms", "integer", "measured values cyclically; 0: never", 0, 0, 3_600_000, unit="ms", later=True),
    Key("background_s", "integer", "background scan; 0: never", 0, 0, 86_400, unit="s", later=True),
    Key("end_of_init", "boolean", "say so after a start", True),
    Key("short_pulse_ms", "integer", "of a command that asks for a short pulse", 100, 1, 60_000, unit="ms"),
    Key("long_pulse_ms", "integer", "of a command that asks for a long pulse", 500, 1, 600_000, unit="ms"),
    Key("return_information", "boolean", "report what a command changed with cause 11", True),
    Key("parameters", "boolean", "a center may write thresholds and limits of what it is told", True),
    Key("freeze", "boolean", "a center may freeze and reset counters as it is told them", True),
)
SLAVE_104 = (
    Key("tcp_port", "integer", "port", 2404, 1, 65535),
    *_SLAVE,
    *_TIMERS,
    Key("max_connections", "integer", "of a control center, one of them started", 4, 1, 64),
)
SLAVE_101 = (
    *_LINK,
    *_SIZES,
    _TIME_TAG,
    *_SLAVE,
    Key("link_timeout_ms", "integer", "balanced: until a frame is answered", 1000, 10, 60_000, unit="ms"),
    Key("class2_types", "texts", "types served as class 2; all others are class 1", ()),
)
ROW = (
    Key("type", "text", "standard name of the spontaneous type"),
    Key("group", "integer", "interrogation group 1..16 (totals: 1..4); empty: the station's only", 0, 1, 16),
)
_BINARY = ("binary", "binary-output")
_DOUBLE = ("double", "double-output", *_BINARY)
_MEASURED = ("analog", "analog-output", "counter")
FAMILIES: dict[str, tuple[str, ...]] = {
    "M_SP": _BINARY,
    "M_DP": _DOUBLE,
    "M_ST": ("step", "step-output"),
    "M_BO": ("bitstring",),
    "M_ME": _MEASURED,
    "M_IT": ("counter",),
    "M_PS": _BINARY,
    "M_EP": _BINARY,
    "C_SC": ("binary-output", "double-output"),
    "C_DC": ("double-output", "binary-output"),
    "C_RC": ("step-output",),
    "C_SE": ("analog-output",),
    "C_BO": ("analog-output",),
}
"""The first four letters of a type, and the kinds that it may serve."""


def _names(table: str) -> tuple[str, ...]:
    """ "M_SP:NA,TB" means M_SP_NA_1 and M_SP_TB_1."""
    return tuple(
        f"{family}_{variant}_1"
        for family, variants in (entry.split(":") for entry in table.split())
        for variant in variants.split(",")
    )


_WITHOUT_TIME = _names("M_SP:NA M_DP:NA M_ST:NA M_BO:NA M_ME:NA,NB,NC,ND M_IT:NA M_PS:NA")
_CP24 = _names("M_SP:TA M_DP:TA M_ST:TA M_BO:TA M_ME:TA,TB,TC M_IT:TA M_EP:TA,TB,TC")
_CP56 = _names("M_SP:TB M_DP:TB M_ST:TB M_BO:TB M_ME:TD,TE,TF M_IT:TB M_EP:TD,TE,TF")
_COMMANDS = _names("C_SC:NA C_DC:NA C_RC:NA C_SE:NA,NB,NC C_BO:NA")
_TIMED_COMMANDS = _names("C_SC:TA C_DC:TA C_RC:TA C_SE:TA,TB,TC C_BO:TA")
TYPES_104 = (*_WITHOUT_TIME, *_CP56, *_COMMANDS, *_TIMED_COMMANDS)
TYPES_101 = (*_WITHOUT_TIME, *_CP24, *_CP56, *_COMMANDS)
NOT_YET_FAMILIES = frozenset({"M_PS", "M_EP"})
"""Families that the schema knows and this version does not serve yet."""
