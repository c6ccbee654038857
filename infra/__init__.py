"""The machines: everything that touches one, and knows no provider."""
