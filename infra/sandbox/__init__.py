"""Simulators of the providers, with state, push, quotas and faults; they know nothing of ours."""
