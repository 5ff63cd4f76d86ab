"""The field: relays and meters served by pymodbus's own servers, generated from a configuration's point lists."""
