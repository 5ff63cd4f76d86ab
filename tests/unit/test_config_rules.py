"""Each rule of the configuration: one variation of the example group that keeps it, one that breaks it."""

from __future__ import annotations

import pytest

from tests.support.configs import example, found

G = "gateway.toml"
RELAY = "feeder-relay.csv"
SCADA = "scada.csv"
METERS = "meters.csv"
M1 = "m1.csv"
BREAKER = "breaker,double,discrete:0+1,,fast,"
CLOSE = "trip_close,double-output,coil:1+0,,,,,,,,,500,breaker within 3000,on: not earth_switch"
TAP = "tap_setpoint,analog-output,holding:0,int16,,1,0,,,,,,,,"
SETPOINT = "F1.tap_setpoint,C_SE_NB_1,5002,,,,,,direct"
CONTROL = """group = "127.20.2.10/24"
a = { interface = "lo", address = "127.20.2.11/24" }
b = { interface = "lo", address = "127.20.2.12/24" }"""
NORTH = 'hosts = ["127.0.0.1/32"] '

# (rule, file, text of the example, a variation that is right, one that is wrong, its place, words of the sentence)
RULES = [
    ("newer format", G, "format = 1", "format = 1", "format = 2", "gateway.toml:3", "newer than this gateway's"),
    ("unknown key", G, "preferred =", "preferred =", "prefered =", "gateway.toml:7", 'did you mean "preferred"?'),
    ("key of another protocol", G, "timeout_ms = 300", "timeout_ms = 301", "timeout_ms = 300\nt1_s = 3",
     "gateway.toml:81",
     "it is a key of iec104"),
    ("unknown table", G, "[time]", "[time]", "[times]", "gateway.toml:69", 'did you mean "time"?'),
    ("type", G, "baud = 19200", "baud = 9600", 'baud = "9600"', "gateway.toml:32", "is not a whole number"),
    ("range", G, "data_bits = 8", "data_bits = 8", "data_bits = 9", "gateway.toml:33", "whole number from 7 to 8"),
    ("choice", G, '"even"', '"odd"', '"evn"', "gateway.toml:34", 'one of "none", "even", "odd"'),
    ("boolean", G, "echo = false", "echo = true", "echo = 1", "gateway.toml:41", "write true or false"),
    ("required", G, 'name = "cedar-creek"', 'name = "x"', "", "gateway.toml:5", "has no name"),
    ("name", G, 'name = "cedar-creek"', 'name = "cedar_2"', 'name = "2 cedars"', "gateway.toml:6", "is not a name"),
    ("protocol", G, '"modbus-rtu"', '"modbus-rtu"', '"modbus-rtz"', "gateway.toml:76", 'did you mean "modbus-rtu"?'),
    ("protocol to come", G, 'protocol = "iec104"', 'protocol = "iec104"', 'protocol = "dnp3-tcp"', "gateway.toml:108",
     "dnp3-tcp: not in this version yet"),
    ("value to come", G, 'journal = "ram"', 'journal = "ram"', 'journal = "durable"', "gateway.toml:55",
     "not in this version yet"),
    # LANs
    ("address", G, '"127.20.1.10/24"', '["127.20.1.10/24", "127.20.1.9/24"]', '"127.20.1/24"', "gateway.toml:11",
     "is no IP address"),
    ("prefix length", G, '"127.20.1.10/24"', '"127.20.1.13/24"', '"127.20.1.10"', "gateway.toml:11",
     "no prefix length"),
    ("group inside", G, '"127.20.1.10/24"', '"127.20.1.200/24"', '"127.20.7.10/24"', "gateway.toml:11",
     "is not in member a's network 127.20.1.0/24"),
    ("group distinct", G, '"127.20.1.10/24"', '"127.20.1.14/24"', '"127.20.1.11/24"', "gateway.toml:12",
     "belongs to the group on lan station already"),
    ("broadcast", G, '"127.20.1.10/24"', '"127.20.1.254/24"', '"127.20.1.255/24"', "gateway.toml:11", "broadcast"),
    ("LANs apart", G, CONTROL, CONTROL.replace("/24", "/25"), CONTROL.replace("127.20.2.", "127.20.1.2"),
     "gateway.toml:15", "overlaps lan station"),
    ("router inside", G, '# router = "10.1.2.1"', 'router = "127.20.2.1"', 'router = "10.1.2.1"', "gateway.toml:19",
     "is not in lan control's network"),
    ("routes", G, "# routes = [{ to", 'routes = [{ to = "10.9.0.0/16", via = "127.20.2.2" }] # {', "routes = [{ to",
     "gateway.toml:20", "10.1.2.2 is not in lan control"),
    ("device is not us", METERS, "127.20.1.50", "127.20.1.51", "127.20.1.12", "meters.csv:2", "address of member b"),
    ("device's host", METERS, "127.20.1.50", "127.20.1.51", "meter.local", "meters.csv:2", "names are not resolved"),
    # serial lines
    ("line exists", G, 'serial = "bus1"', 'serial = "bus1"', 'serial = "bus2"', "gateway.toml:77",
     'did you mean "bus1"?'),
    ("lan exists", G, 'lan = "station"', 'lan = "control"', 'lan = "statoin"', "gateway.toml:99",
     'did you mean "station"?'),
    ("one user a line", G, ', "serial.crossover"]', "]", ', "serial.bus1"]', "gateway.toml:74",
     "a line has one master"),
    ("line is driven by one", G, 'switched = "role-relay"', 'switched = "own"', 'switched = "none"', "gateway.toml:29",
     "nothing says who drives it"),
    ("line has a port", G, 'a = "bus1-a"', 'a = "bus9-a"', 'a = "crossover-a"', "gateway.toml:30",
     "carries line crossover"),
    # standby
    ("paths exist", G, '"lan.control", "ser', '"lan.control", "ser', '"lan.contrl", "ser', "gateway.toml:47",
     'did you mean "lan.control"?'),
    ("paths once", G, '"lan.control", "ser', '"lan.control", "ser', '"lan.station", "ser', "gateway.toml:47",
     "stands twice"),
    ("ring", G, "soe_records = 65536", "soe_records = 1024", "soe_records = 65000", "gateway.toml:56", "such as 65536"),
    ("witness", G, 'witness = ""', 'witness = "10.1.2.9:4722"', 'witness = "10.1.2.9"', "gateway.toml:61",
     "no host and port"),
    ("witness named", G, '"relays" ', '"software" # ', '"witness" ', "gateway.toml:49", "no witness is named"),
    ("condition's subject", G, '"lan.control.down"', '"lan.station.down"', '"lan.contrl.down"', "gateway.toml:66",
     'did you mean "control"?'),
    ("condition's grammar", G, '"lan.control.down"', '"master.meters.down_share > 0.5"', '"master.meters.down_share"',
     "gateway.toml:66", "compares with nothing"),
    ("condition's share", G, '"lan.control.down"', '"master.meters.down_share >= 1"', '"master.meters.down_share > 5"',
     "gateway.toml:66", "can never hold"),
    ("condition's center", G, '"lan.control.down"', '"center.north.missing"', '"center.nord.missing"',
     "gateway.toml:66",
     "there is no center"),
    ("condition's point", G, '"lan.control.down"', '"F1.earth_switch"', '"F1.earth_swich"', "gateway.toml:66",
     'did you mean "F1.earth_switch"?'),
    ("condition's kind", G, '"lan.control.down"', '"_sys.disk_ok"', '"F1.energy"', "gateway.toml:66",
     "not a binary point"),
    # time
    ("time source", G, '["ntp"]', '["ptp", "ntp"]', '["gps"]', "gateway.toml:70", 'time source "gps" is unknown'),
    ("time server", G, 'ntp = ["127.20.2.20"]', 'ntp = "127.20.2.20"', "ntp = []", "gateway.toml:71",
     "no server is named"),
    ("time of a slave", G, '["ntp"]', '["ntp"]', '["slave:scada"]', "gateway.toml:70", "does not accept the time"),
    ("time of nobody", G, '["ntp"]', '["ntp"]', '["slave:scad"]', "gateway.toml:70", 'did you mean "scada"?'),
    ("clock_sync", G, '"answer" ', '"refuse" ', '"accept" ', "gateway.toml:106",
     "accepts the time and is no time source"),
    ("zone", G, '"UTC"', '"Europe/Berlin"', '"CET (winter)"', "gateway.toml:72", "is no time zone"),
    # masters and devices
    ("master once", G, 'name = "meters"', 'name = "meters2"', 'name = "feeders"', "gateway.toml:97",
     "two masters named"),
    ("device once", G, 'name = "F2"', 'name = "F3"', 'name = "F1"', "gateway.toml:90", "exists already"),
    ("station once", G, "address = 2", "address = 3", "address = 1", "gateway.toml:90",
     'address 1 of bus1, as "F1" has'),
    ("unit address", G, "address = 2", "address = 247", "address = 248", "gateway.toml:92", "from 1 to 247"),
    ("devices", G, 'devices = "meters.csv"', 'devices = "meters.csv"', "", "gateway.toml:97", "has no devices"),
    ("list exists", G, 'devices = "meters.csv"', 'devices = "meters.csv"', 'devices = "metres.csv"', "gateway.toml:104",
     'did you mean "meters.csv"?'),
    ("list beside", G, 'devices = "meters.csv"', 'devices = "meters.csv"', 'devices = "../meters.csv"',
     "gateway.toml:104",
     "is not the name of a file beside"),
    ("periods", G, "{ normal = 200 }", "{ normal = 200, slow = 9000 }", "{ normal = 1 }", "gateway.toml:103",
     "from 10 to"),
    ("periods' names", G, "{ normal = 200 }", "{ a-b = 200 }", '{ "a b" = 200 }', "gateway.toml:103", "polling group"),
    ("standby's connection", G, 'on_standby = "none"', 'on_standby = "none"', 'on_standby = "polling"',
     "gateway.toml:101",
     "not in this version yet"),
    # device lists
    ("column", RELAY, ",settle_ms,", ",settle_ms,", ",setle_ms,", "feeder-relay.csv:1", 'did you mean "settle_ms"?'),
    ("column once", RELAY, "unit,deadband", "unit,deadband", "unit,unit", "feeder-relay.csv:1", "stands twice"),
    ("column required", M1, "name,kind,", "Name,kind,", "nom,kind,", "m1.csv:1", 'has no column "name"'),
    ("kind", M1, "alarm,binary", "alarm,binary", "alarm,binery", "m1.csv:4", 'did you mean "binary"?'),
    ("name of a point", M1, "reactive_power", "power.re-active_2", "re active", "m1.csv:3", "is not a name"),
    ("name is free", M1, "alarm,", "alarm,", "_sys.alarm,", "m1.csv:4", "is the gateway's own"),
    ("name once", M1, "alarm,", "alarm,", "active_power,", "m1.csv:4", "stands in line 2 already"),
    ("name is no word", M1, "reactive_power", "band", "and", "m1.csv:3", "a word of interlocks"),
    ("name's length", M1, "reactive_power", "r" * 61, "r" * 63, "m1.csv:3", "shorten it to 64"),
    ("address of Modbus", M1, "holding:4.3", "holding:4.15", "holding:4.16", "m1.csv:4", "bits 0 (lowest) to 15"),
    ("table", M1, "holding:4.3", "coil:4", "holdings:4", "m1.csv:4", "no Modbus table"),
    ("bit of a binary", M1, "holding:4.3", "discrete:4", "holding:4", "m1.csv:4", "holding:4.0"),
    ("bit is binary", M1, "holding:2,", "holding:2,", "holding:2.1,", "m1.csv:3", "a bit cannot be a analog"),
    ("value is no coil", M1, "holding:2,float32-cdab", "holding:2,float32-cdab", "coil:2,", "m1.csv:3", "is one bit"),
    ("encoding", M1, "float32-cdab", "uint64-dcba", "float32-cbad", "m1.csv:3", "one of"),
    ("encoding fits", M1, "holding:2,", "holding:65534,", "holding:65535,", "m1.csv:3", "ends at register 65536"),
    ("encoding of a bit", M1, "holding:4.3,,", "holding:4.3,,", "holding:4.3,uint16,", "m1.csv:4", "is for registers"),
    ("double has two", RELAY, "discrete:0+1", "discrete:4+5", "discrete:0", "feeder-relay.csv:2", "needs two numbers"),
    ("double's two differ", RELAY, "discrete:0+1", "discrete:1+0", "discrete:1+1", "feeder-relay.csv:2",
     "names 1 twice"),
    ("single has one", RELAY, "discrete:2,", "discrete:3,", "discrete:2+3,", "feeder-relay.csv:3", "has one number"),
    ("output is writable", RELAY, "holding:0,int16", "holding:1,int16", "input:0,int16", "feeder-relay.csv:8",
     "cannot be written"),
    ("outputs apart", RELAY, TAP, TAP + "\nx,binary-output,holding:1.3", TAP + "\nx,binary-output,holding:0.3",
     "feeder-relay.csv:9", 'which "tap_setpoint" writes too'),
    ("scale", M1, "cdab,1,", "cdab,-1.5e-3,", "cdab,0,", "m1.csv:3", "makes every value the same"),
    ("decimal comma", M1, "cdab,1,", 'cdab,"1.5",', 'cdab,"1,5",', "m1.csv:3", "write 1.5"),
    ("number", M1, "cdab,1,", "cdab,.5,", "cdab,nan,", "m1.csv:3", "is not a number"),
    ("deadband", M1, "kvar,1", "kvar,0", "kvar,-1", "m1.csv:3", "out of range"),
    ("scan", RELAY, "uint16,normal", "uint16,slow", "uint16,nrmal", "feeder-relay.csv:4", 'did you mean "normal"?'),
    ("settle", RELAY, ",10000,", ",9000,", ",10 s,", "feeder-relay.csv:2", "is not a whole number"),
    ("settle of a double", RELAY, "discrete:2,,fast,,,,,open|closed,,", "discrete:2,,fast,,,,,open|closed,,",
     "discrete:2,,fast,,,,,open|closed,100,", "feeder-relay.csv:3", "settle_ms means nothing for a binary"),
    ("states", RELAY, "discrete:2,,fast,,,,,open|closed", "discrete:2,,fast,,,,,no|yes",
     "discrete:2,,fast,,,,,no|yes|maybe",
     "feeder-relay.csv:3", "name both"),
    ("pulse of an output", RELAY, ",500,breaker", ",700,breaker", ",0,breaker", "feeder-relay.csv:7", "out of range"),
    ("pulse of an input", RELAY, BREAKER + ",,,,open|closed,10000,,", BREAKER + ",,,,open|closed,10000,,",
     BREAKER + ",,,,open|closed,10000,50,", "feeder-relay.csv:2", "pulse_ms means nothing for a double"),
    ("feedback", RELAY, "breaker within 3000", "breaker within 500", "breaker in 3 s", "feeder-relay.csv:7",
     "POINT within MS"),
    ("feedback exists", RELAY, "breaker within", "F1.breaker within", "braker within", "feeder-relay.csv:7",
     'did you mean "breaker"?'),
    ("feedback's kind", RELAY, "breaker within", "earth_switch within", "energy within", "feeder-relay.csv:7",
     "needs a binary or double"),
    ("interlock", RELAY, "on: not earth_switch", "off: (earth_switch or not breaker)", "on: not not",
     "feeder-relay.csv:7",
     "interlock"),
    ("interlock exists", RELAY, "not earth_switch", "not M1.alarm", "not erth_switch", "feeder-relay.csv:7",
     'did you mean "earth_switch"?'),
    ("interlock's kind", RELAY, "not earth_switch", "not _sys.disk_ok", "not energy", "feeder-relay.csv:7",
     "is a counter"),
    ("cells", RELAY, CLOSE, CLOSE, CLOSE + ",,,", "feeder-relay.csv:7", "the first line names 15 columns"),
    ("quotes", RELAY, '"off coil + on', '"off ""coil"", on', 'off coil, on', "feeder-relay.csv:7",
     "this row has 16 cells"),
    ("open quote", RELAY, 'follow', 'follow', 'fol"low', "feeder-relay.csv:7", "a quote is opened"),
    # slaves
    ("slave's port", G, "tcp_port = 2404", "tcp_port = 2405", "tcp_port = 4720", "gateway.toml:106",
     "the hot-standby link's"),
    ("centers", G, 'name = "probe"', 'name = "south"', 'name = "north"', "gateway.toml:126",
     "two control centers named"),
    ("hosts", G, NORTH, 'hosts = ["127.0.0.0/8", "127.0.0.1"] ', 'hosts = ["127.0.0.1/8"] ', "gateway.toml:121",
     'write "127.0.0.0/8" for the network or "127.0.0.1"'),
    ("hosts apart", G, NORTH, 'hosts = ["127.20.2.0/24"] ', 'hosts = ["127.20.2.31"] ', "gateway.toml:127",
     "longest prefix"),
    ("serve_after", G, '"valid" ', '"30" ', '"soon" ', "gateway.toml:115", "not understood"),
    ("t2", G, "# t0_s t1_s", "t1_s = 16 #", "t2_s = 15 #", "gateway.toml:114", "not below t1_s"),
    ("w above k", G, "# t0_s t1_s", "k = 30\nw = 20 #", "k = 7 #", "gateway.toml:106", "w = 8 is above k = 7"),
    ("common address", G, "common_address = 47", "common_address = 48", "common_address = 0", "gateway.toml:112",
     "1 to 65534"),
    # slave lists
    ("row's point", SCADA, "F1.breaker", "F2.breaker", "F1.braker", "scada.csv:2", 'did you mean "F1.breaker"?'),
    ("row's own point", SCADA, "_sys.unprotected", "_sys.device.F1.ok", "_sys.unprotectd", "scada.csv:12",
     "_sys.unprotected"),
    ("type", SCADA, "M_DP_TB_1", "M_DP_NA_1", "M_DP_TC_1", "scada.csv:2", "the types are"),
    ("type of 101", SCADA, "M_DP_TB_1", "M_DP_TB_1", "M_DP_TA_1", "scada.csv:2", "not for iec104"),
    ("type to come", SCADA, "M_SP_TB_1", "M_SP_NA_1", "M_PS_NA_1", "scada.csv:3", "not in this version yet"),
    ("type serves kind", SCADA, "F1.earth_switch,M_SP_TB_1", "F1.earth_switch,M_DP_TB_1", "F1.earth_switch,M_ME_NC_1",
     "scada.csv:3", "begin with M_SP or M_DP"),
    ("command needs output", SCADA, SETPOINT, SETPOINT, SETPOINT.replace("tap_setpoint", "energy"), "scada.csv:8",
     "a command needs an output"),
    ("object address", SCADA, ",1001,", ",48:1001,", ",0,", "scada.csv:2", "from 1 to 16777215"),
    ("object once", SCADA, ",2002,", ",2003,", ",47:2001,", "scada.csv:5", "taken by F1.voltage_l1 (line 4)"),
    ("interrogation group", SCADA, "1001,1,", "1001,16,", "1001,17,", "scada.csv:2", "from 1 to 16"),
    ("group of totals", SCADA, "3001,,", "3001,4,", "3001,5,", "scada.csv:6", "groups 1 to 4"),
    ("group of a command", SCADA, "5002,,", "5002,,", "5002,1,", "scada.csv:8", "in no interrogation group"),
    ("control of a value", SCADA, "1001,1,,,,,", "1001,1,,,,,", "1001,1,,,,,sbo", "scada.csv:2", "for commands only"),
    ("control's choice", SCADA, "sbo", "direct", "select", "scada.csv:7", 'one of "", "direct", "sbo"'),
    ("control of a slave", G, 'controls = "any"', 'controls = "any"', 'controls = "sbo"', "scada.csv:8",
     "select first only"),
    ("row's scale", SCADA, "2002,2,100,", "2002,2,-100,", "2002,2,0,", "scada.csv:5", "makes every value the same"),
    ("row's scale of a switch", SCADA, "1002,1,,", "1002,1,,", "1002,1,2,", "scada.csv:3",
     "means nothing for a binary"),
    ("row's invert", SCADA, "2001,2,,,0.5,,", "2001,2,,,0.5,no,", "2001,2,,,0.5,yes,", "scada.csv:4",
     "cannot be inverted"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new"), [rule[1:4] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_what_keeps_the_rule_is_right(file: str, old: str, new: str) -> None:
    assert [str(f) for f in found(example((file, old, new))) if f.level == "error"] == []


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "words"),
    [(rule[1], rule[2], *rule[4:]) for rule in RULES],
    ids=[rule[0] for rule in RULES],
)
def test_what_breaks_it_is_named_with_its_place(file: str, old: str, new: str, place: str, words: str) -> None:
    errors = [f for f in found(example((file, old, new))) if f.level == "error"]
    told = [str(f).lower() for f in errors if str(f.place) == place]
    assert any(words.lower() in text for text in told), "\n".join(map(str, errors)) or "nothing found"
    assert all(f.right for f in errors)
