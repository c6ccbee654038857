"""How often does a process look for garbage that counting references does not find?"""

from __future__ import annotations

import gc


def seldom_look_for_garbage() -> None:
    """Call it when everything is loaded: that is never looked through again, the rest seldom.

    Our requests and jobs leave no cycles; looking for them was a tenth of a receiver's time.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
