"""The relay-and-panel controller: rules, wire and patterns that run unchanged under MicroPython and CPython."""
