"""IEC 60870-5 application data and its 104 transport.

`apci` cuts and makes 104 frames, `asdu` and `types` read and make what is in them (also for 101, with other field
sizes), `time` and `quality` map stamps and flags, `describe` puts all of it into words.
"""

from __future__ import annotations


class FrameError(ValueError):
    """Octets that are not what the standard says; the text is a sentence that names the fault."""
