"""The configuration contract: `model` is what the rest of the firmware sees, `load` reads and verifies a folder."""
