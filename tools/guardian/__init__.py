"""Putting the guardian onto its controller."""
