"""Names that vulture thinks unused and that are not, each with the one who uses it."""

point_ids = ()  # parameter of a protocol's method: every implementation of slave.base.Station
print(point_ids)
