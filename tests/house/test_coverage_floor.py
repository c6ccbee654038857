"""Does the floor of coverage bite? A small project with one package, measured and judged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FLOOR = Path(__file__).parents[1] / "coverage_floor.py"
CODE = "def claim(late: bool) -> str:\n    if late:\n        return 'late'\n    return 'in time'\n"


def judge(folder: Path, calls: str) -> str:
    """Run those calls under coverage, and return what is said about `schemas`."""
    (folder / "schemas").mkdir()
    (folder / "schemas" / "__init__.py").touch()
    (folder / "schemas" / "a.py").write_text(CODE)
    (folder / "calls.py").write_text(f"from schemas.a import claim\n{calls}\n")
    coverage = [sys.executable, "-m", "coverage", "run", "--branch", "--source=schemas", "calls.py"]
    subprocess.run(coverage, cwd=folder, check=True)
    ended = subprocess.run(
        [sys.executable, FLOOR], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ended.returncode != 0  # the other parts of the house are not there at all
    return ended.stdout.partition("workers/domain")[0]


@pytest.mark.parametrize(
    ("calls", "said"),
    [
        ("claim(True), claim(False)", "schemas/*          100.00 %  (floor 100 %)\n"),
        ("claim(True)", "a.py"),
    ],
)
def test_a_branch_not_taken_is_named(tmp_path: Path, calls: str, said: str) -> None:
    printed = judge(tmp_path, calls)

    assert said in printed
    assert ("a.py" in printed) is (said == "a.py")
