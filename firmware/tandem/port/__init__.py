"""The only part that touches the operating system: sockets, serial lines, files, pins, clock, processes."""
