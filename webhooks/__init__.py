"""Who knocks? The door: the receiver of notifications, and the app of partners and people."""
