"""Does the guard of requirements.csv bite? Each case is a small project, run by pytest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import requirements_guard as guard

ROOT = Path(__file__).parents[2]
CONFIG = '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n'
TESTS = """
import pytest

def test_good(): pass
def test_skipped(): pytest.skip("no machine for it")
@pytest.mark.parametrize("n", [1, 2])
def test_cases(n): pass
@pytest.mark.parametrize("n", [1, 2])
def test_cases_of_which_one_is_skipped(n):
    if n == 2: pytest.skip("no machine for it")
class TestRoom:
    def test_in_a_class(self): pass
"""


def run(folder: Path, rows: str, *arguments: str) -> tuple[int, str]:
    """Run a project whose list has these rows; return the exit status and what was printed."""
    tests = folder / "tests"
    tests.mkdir()
    (folder / "pyproject.toml").write_text(CONFIG)
    for name in ("conftest.py", "requirements_guard.py"):
        shutil.copy(ROOT / "tests" / name, tests)
    (tests / "test_a.py").write_text(TESTS)
    (tests / "test_b.py").write_text("def test_other(): pass\n")
    (tests / "requirements.csv").write_text(f"id,requirement,status,tests\n{rows}\n")
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "--import-mode=importlib",
            *arguments,
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


ACCEPTED = (
    "test_good",
    "test_cases",
    "test_cases[2]",
    "test_cases_of_which_one_is_skipped[1]",
    "TestRoom::test_in_a_class",
)
MISSING = (
    "tests/test_a.py::test_renamed",
    "tests/test_gone.py::test_good",
    "tests/test_a.py",
    "tests/test_a.py::test_good; tests/test_a.py::test_renamed",
)
NOT_RUN = (
    "test_skipped",
    "test_cases_of_which_one_is_skipped",
    "test_cases_of_which_one_is_skipped[2]",
    "test_cases[3]",
)


def proved(proofs: Sequence[str]) -> str:
    """A row each."""
    return "\n".join(f"A-{n},it works,proved,{proof}" for n, proof in enumerate(proofs))


def test_proofs_that_ran_and_passed_are_accepted(tmp_path: Path) -> None:
    status, printed = run(tmp_path, proved([f"tests/test_a.py::{name}" for name in ACCEPTED]))

    assert status == 0, printed


def test_every_proof_that_is_missing_fails_the_session(tmp_path: Path) -> None:
    status, printed = run(tmp_path, proved(MISSING))

    assert status == 1
    for n, _ in enumerate(MISSING):
        assert f"A-{n} names a test that does not exist" in printed


def test_every_proof_that_did_not_run_and_pass_fails_the_session(tmp_path: Path) -> None:
    status, printed = run(tmp_path, proved([f"tests/test_a.py::{name}" for name in NOT_RUN]))

    assert status == 1
    for n, _ in enumerate(NOT_RUN):
        assert f"A-{n} names a test that did not run and pass" in printed


def test_a_partial_run_only_asks_that_proofs_exist(tmp_path: Path) -> None:
    row = "A-1,it works,proved,tests/test_a.py::test_good"

    status, printed = run(tmp_path, row, "tests/test_b.py")

    assert status == 0, printed


def test_a_partial_run_still_fails_for_a_proof_that_does_not_exist(tmp_path: Path) -> None:
    row = "A-1,it works,proved,tests/test_a.py::test_renamed"

    status, _ = run(tmp_path, row, "tests/test_b.py")

    assert status == 1


def test_a_failing_run_stays_a_failing_run(tmp_path: Path) -> None:
    status, _ = run(tmp_path, "A-1,it works,planned,", "-k", "no_such_test")

    assert status == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize(
    ("status", "tests", "complaint"),
    [
        ("proved", "", "is proved, but names no test"),
        ("planned", "tests/test_a.py::test_good", "is planned, but names tests"),
        ("not_applicable", "", "does not apply, but gives no reason"),
        ("done", "", "has no such status as 'done'"),
    ],
)
def test_a_row_that_contradicts_itself_is_named(status: str, tests: str, complaint: str) -> None:
    rows = [guard.Requirement("A-1", "it works", status, tests)]

    assert list(guard.malformed(rows)) == [f"A-1 {complaint}"]


def test_an_id_stands_once() -> None:
    rows = [guard.Requirement("A-1", "it works", "planned", "")] * 2

    assert list(guard.malformed(rows)) == ["A-1 stands twice"]


def test_our_own_list_is_whole() -> None:
    rows = guard.read(ROOT / "tests" / "requirements.csv")
    counts = {"S0-": 26, "S1-": 46, "S2-": 34, "S3-": 32, "S4-": 14, "T": 36, "B-": 20}

    assert {prefix: sum(row.id.startswith(prefix) for row in rows) for prefix in counts} == counts
    assert len(rows) == sum(counts.values())
