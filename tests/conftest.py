"""What every test shares: the guard of the list of requirements."""

from __future__ import annotations

pytest_plugins = ["tests.requirements_guard"]
