"""Zoom as its clients see it."""
