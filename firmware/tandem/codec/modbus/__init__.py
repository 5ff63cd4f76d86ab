"""Modbus frames and addresses."""
