"""Hot standby: beats, role, fences, histories and the mirror, each a sans-IO engine."""
