"""The hands: arq workers that read calendars, keep conferences and fire callbacks."""
