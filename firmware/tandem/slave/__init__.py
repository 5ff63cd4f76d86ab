"""The control-center side: one station a slave instance, one session a connection, all behind `slave.base`."""
