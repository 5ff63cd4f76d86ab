"""Two real nodes, their hearts and the world around them on one heap of virtual time: a story is a seed."""
