"""A stand-in for rpi-lgpio on machines without GPIO; only tests put this folder on the path."""
