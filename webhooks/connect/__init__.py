"""How is an account linked? The pages of administrators and hosts."""
