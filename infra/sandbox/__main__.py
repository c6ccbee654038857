"""Start the sandbox: `python -m infra.sandbox --port 9090`."""

from __future__ import annotations

import argparse

from infra.sandbox.server import serve


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9090, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="ids and dice repeat with it")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent does")
    asked = parser.parse_args()
    serve(asked.host, asked.port, seed=asked.seed, with_parent=asked.with_parent)


if __name__ == "__main__":
    main()
