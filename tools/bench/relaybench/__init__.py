"""The relay bench: one process that plays relays, contacts, wires, lease and LANs around two gateways."""
