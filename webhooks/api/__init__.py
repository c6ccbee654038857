"""What may a partner ask for? The resources under /v1."""
