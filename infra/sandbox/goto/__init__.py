"""GoTo Meeting as its clients see it."""
