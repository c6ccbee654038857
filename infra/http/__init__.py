"""How do we speak HTTP to providers and partners? One wire, one guard, lines of our own."""
