"""What to do, decided without doing it: pure functions, no I/O, no clock, no chance."""
