"""How a LED shines in time: an octet a LED is its colour (low four bits) and its pattern (high four)."""

SLOT_MS = 125
SLOTS = 16
MASKS = (0xFFFF, 0x00FF, 0x5555, 0x0001)
"""steady; slow: a second on, a second off; fast: four times a second; flash: once in two seconds. One bit a slot."""


def lit(octet: int, now_ms: int) -> bool:
    """Whether a LED with this octet shines at this time; 0 is dark, whatever is unknown is steady."""
    if not octet & 15:
        return False
    pattern = octet >> 4
    mask = MASKS[pattern] if pattern < len(MASKS) else MASKS[0]
    return bool(mask >> (now_ms // SLOT_MS % SLOTS) & 1)


def levels(octets: bytes, lamp_test: bool, now_ms: int) -> list[bool]:
    """Which LEDs shine now; every one while the lamp test is pressed."""
    return [lamp_test or lit(octet, now_ms) for octet in octets]
