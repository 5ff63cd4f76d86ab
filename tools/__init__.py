"""What runs on an engineer's or developer's machine; the firmware never imports it."""
