"""The front panel as decisions: which LED shines, from the state of the node. Pins live in `port`."""
