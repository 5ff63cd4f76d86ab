"""Bytes to frames and back, pure: no clock, no state beyond a receive buffer, no import but `tandem.point`."""
