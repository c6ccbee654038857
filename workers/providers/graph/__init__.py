"""How is Microsoft Graph spoken to, for calendars and for Teams?"""

from workers.providers.graph.client import Graph
from workers.providers.graph.contents import GraphContents
from workers.providers.graph.native import TeamsInEvents
from workers.providers.graph.teams import Teams

__all__ = ["Graph", "GraphContents", "Teams", "TeamsInEvents"]
