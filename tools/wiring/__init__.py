"""Drawings and tables of a board's wiring, made from its data."""
