"""The hands on the sandbox: set it up, look into it, play its users."""
