"""Our schema translated to and from wire formats. Pure: no clock, no I/O, no provider names."""
