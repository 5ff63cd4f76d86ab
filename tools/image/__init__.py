"""The image: built, booted in QEMU, written to a card."""
