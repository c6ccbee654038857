"""Google Calendar v3 as its clients see it."""
