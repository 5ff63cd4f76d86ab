"""The field: relays and meters served by pymodbus's own servers, remote units by c104's, all from the point lists."""
