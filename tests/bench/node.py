"""What needs Node to be measured? The peers beside this, installed from their lock file."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

PEERS: Final = Path(__file__).parent / "peers"
INSTALLED: Final = PEERS / "node_modules" / ".package-lock.json"


def peers() -> bool:
    """Whether the peers can run; installs them once where Node is there."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    if (
        not INSTALLED.exists()
        or INSTALLED.stat().st_mtime < (PEERS / "package-lock.json").stat().st_mtime
    ):
        subprocess.run(
            ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"],
            cwd=PEERS,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return True


def peer(name: str, *words: str) -> tuple[str, ...]:
    """The command that runs one of them."""
    return ("node", str(PEERS / name), *words)
