"""How is GoTo Meeting spoken to?"""

from workers.providers.goto.account import GoToAccount
from workers.providers.goto.client import GoTo
from workers.providers.goto.history import GoToHistory
from workers.providers.goto.people import GoToPeople

__all__ = ["GoTo", "GoToAccount", "GoToHistory", "GoToPeople"]
