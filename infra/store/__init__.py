"""What is kept, and how is it found? All of it through `open_store`."""

from infra.store.opening import Store as Store
from infra.store.opening import open_store as open_store
