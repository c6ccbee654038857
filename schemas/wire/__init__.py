"""What do vendors say? Their own words, only the fields we use, each in a file of its own."""
