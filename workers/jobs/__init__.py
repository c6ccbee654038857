"""What does each kind of lane ask for? One module per kind of work."""
