"""How does work wait, who does it, and how does it end? The rules stand in ENGINE.md."""

from infra.lanes.claiming import Leases as Leases
from infra.lanes.claiming import Taken as Taken
from infra.lanes.committing import TooMuch as TooMuch
from infra.lanes.engine import Lanes as Lanes
from infra.lanes.states import Backlog as Backlog
from infra.lanes.states import Gate as Gate
from infra.lanes.states import parked_cursor as parked_cursor
from infra.lanes.upkeep import Load as Load
from infra.lanes.words import KINDS as KINDS
from infra.lanes.words import Body as Body
from infra.lanes.words import Claimed as Claimed
from infra.lanes.words import Entry as Entry
from infra.lanes.words import IndexDrop as IndexDrop
from infra.lanes.words import IndexSet as IndexSet
from infra.lanes.words import Item as Item
from infra.lanes.words import Kind as Kind
from infra.lanes.words import Lane as Lane
from infra.lanes.words import LaneState as LaneState
from infra.lanes.words import Post as Post
from infra.lanes.words import Posted as Posted
from infra.lanes.words import RankDrop as RankDrop
from infra.lanes.words import RankSet as RankSet
from infra.lanes.words import Unit as Unit
