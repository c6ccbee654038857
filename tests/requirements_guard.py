"""Is what requirements.csv calls proved really proved, by tests that ran and passed just now?

A whole run demands of every `proved` row that each test it names has passed; one that was skipped,
deselected or renamed is no proof. A partial run only demands that the named tests exist.
"""

from __future__ import annotations

import ast
import csv
import functools
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest


class Requirement(NamedTuple):
    """A row: `tests` holds node ids parted by `;`, or the reason of a row that does not apply."""

    id: str
    requirement: str
    status: str
    tests: str

    @property
    def proofs(self) -> tuple[str, ...]:
        """Node ids, a parametrised test's with or without its brackets."""
        return tuple(name.strip() for name in self.tests.split(";") if name.strip())


def read(path: Path) -> list[Requirement]:
    """Read the list; a file with other columns fails."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [Requirement(**row) for row in csv.DictReader(lines, strict=True)]


def malformed(rows: Sequence[Requirement]) -> Iterator[str]:
    """Say which rows contradict themselves."""
    seen: set[str] = set()
    for row in rows:
        if row.id in seen:
            yield f"{row.id} stands twice"
        seen.add(row.id)
        match row.status:
            case "proved":
                problem = "" if row.proofs else "is proved, but names no test"
            case "planned":
                problem = "is planned, but names tests" if row.tests else ""
            case "not_applicable":
                problem = "" if row.tests else "does not apply, but gives no reason"
            case _:
                problem = f"has no such status as {row.status!r}"
        if problem:
            yield f"{row.id} {problem}"


def nonexistent(rows: Sequence[Requirement], root: Path) -> Iterator[str]:
    """Say which rows name tests that are in no file."""
    for row in _proved(rows):
        for proof in row.proofs:
            if not _exists(proof, root):
                yield f"{row.id} names a test that does not exist: {proof}"


def unproved(rows: Sequence[Requirement], passed: Collection[str]) -> Iterator[str]:
    """Say which rows name tests that are not among those that passed in this run."""
    for row in _proved(rows):
        for proof in row.proofs:
            if proof not in passed:
                yield f"{row.id} names a test that did not run and pass: {proof}"


def _proved(rows: Sequence[Requirement]) -> Iterator[Requirement]:
    return (row for row in rows if row.status == "proved")


def _exists(proof: str, root: Path) -> bool:
    name, *path = proof.partition("[")[0].split("::")
    file = root / name
    if not path or not file.is_file():
        return False
    body = _parsed(file)
    for part in path:
        found = next((node for node in body if getattr(node, "name", None) == part), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return True


@functools.cache  # a file proves many rows
def _parsed(file: Path) -> Sequence[ast.stmt]:
    return ast.parse(file.read_text(encoding="utf-8")).body


class Guard:
    """Listens to a session, and fails it at its end if a proof is missing."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._passed: set[str] = set()
        self._unsound: set[str] = set()
        self._complaints: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._unsound.add(report.nodeid.partition("[")[0])
        elif report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        rows = read(self._config.rootpath / "tests" / "requirements.csv")
        self._complaints += malformed(rows)
        self._complaints += nonexistent(rows, self._config.rootpath)
        if whole(self._config) and not self._complaints:
            self._complaints += unproved(rows, self._sound())
        if self._complaints and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._complaints:
            terminalreporter.section("requirements.csv")
            for complaint in self._complaints:
                terminalreporter.line(complaint, red=True)

    def _sound(self) -> set[str]:
        """Tests and cases that passed; a parametrised test as a whole only if each case did."""
        whole_ones = {node.partition("[")[0] for node in self._passed} - self._unsound
        return self._passed | whole_ones


WHOLE_SUITE_SOURCES: Final = (
    pytest.Config.ArgsSource.TESTPATHS,
    pytest.Config.ArgsSource.INVOCATION_DIR,
)


def whole(config: pytest.Config) -> bool:
    """Say whether this session was asked for the whole suite, by `pytest` and nothing narrower."""
    asked = config.option
    narrowed = asked.keyword or asked.deselect or getattr(asked, "lf", False) or asked.collectonly
    usual_marks = asked.markexpr in ("", *config.getini("addopts"))
    return config.args_source in WHOLE_SUITE_SOURCES and usual_marks and not narrowed


def pytest_configure(config: pytest.Config) -> None:
    """Put the guard on duty, where all reports come together: a part of a run proves nothing."""
    if hasattr(config, "workerinput"):  # one of several processes that share the suite
        return
    config.pluginmanager.register(Guard(config), "requirements-guard")
