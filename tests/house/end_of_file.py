"""Does every text end in one newline? Mends those named on the command line and says which."""

from __future__ import annotations

import sys
from pathlib import Path


def mend(file: Path) -> bool:
    """End the file in exactly one newline; return whether it had to be changed."""
    text = file.read_bytes()
    mended = text.rstrip(b"\n") + b"\n" if text.strip() else b""
    if mended != text:
        file.write_bytes(mended)
    return mended != text


if __name__ == "__main__":
    changed = [name for name in sys.argv[1:] if mend(Path(name))]
    print(*changed, sep="\n", end="\n" if changed else "")
    sys.exit(bool(changed))
