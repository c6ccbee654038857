"""How is Google Calendar spoken to?"""

from workers.providers.google.client import Google

__all__ = ["Google"]
