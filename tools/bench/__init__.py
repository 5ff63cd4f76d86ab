"""The bench: everything that plays the world around two gateways on one machine, without root."""
