"""How is Zoom spoken to?"""

from workers.providers.zoom.client import Zoom

__all__ = ["Zoom"]
