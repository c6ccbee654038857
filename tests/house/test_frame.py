"""Is the house framed as agreed: its top level, its commands, its lock files, its wheel?"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.house.end_of_file import mend
from tests.house.tree import PRODUCT, ROOT, files, imported, modules

LOCKS = ("requirements.lock", "requirements-dev.lock")
CARD = {"pyproject.toml", "webhooks", "workers", "schemas", "tests", "infra", "Procfile"}
USUAL = {
    *(".ci", ".editorconfig", ".gitignore", ".pre-commit-config.yaml"),
    *("ADDING_A_PROVIDER.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md"),
    *("LICENSE", "Makefile", "README.md", "SECURITY.md", *LOCKS),
}
NAMED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[([^\]]+)\])?")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
HOST = re.compile(r"://|\b[\w-]+\.(?:org|com|net|io|dev|local)\b", re.IGNORECASE)


def locked(name: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / name).read_text()))


def named(dependencies: list[str]) -> set[str]:
    """The packages that these lines ask for; what an extra brings has its name here."""
    found = [NAMED.match(line) for line in dependencies]
    return {name for match in found if match for name in match.groups() if name}


def rules() -> dict[str, list[str]]:
    """Targets of the Makefile with what each needs first."""
    found = re.findall(r"^([a-z]+):([^=#\n]*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {target: needs.split() for target, needs in found}


def test_the_top_level_is_as_the_owner_drew_it() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git work tree")
    top = {name.partition("/")[0] for name in listed.stdout.splitlines()}

    assert top >= CARD
    assert top <= CARD | USUAL


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_is_pinned_with_hashes(name: str) -> None:
    text = re.sub(r"^\s*#.*\n", "", (ROOT / name).read_text(), flags=re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())

    assert len(entries) > 30
    assert [entry for entry in entries if not PINNED.match(entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_names_no_index_no_host_and_no_path(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()

    assert [line for line in lines if HOST.search(line) or line.startswith(("-", "/"))] == []
    assert [line for line in lines if " @ " in line or " /" in line] == []


def test_what_is_developed_on_is_what_is_shipped() -> None:
    shipped, developed = (locked(name).items() for name in LOCKS)

    assert shipped <= developed


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    to_develop = named(project["optional-dependencies"]["dev"])

    assert named(project["dependencies"]) <= locked("requirements.lock").keys()
    assert to_develop <= locked("requirements-dev.lock").keys()


def test_the_product_imports_only_what_it_names_as_a_dependency() -> None:
    """So what is installed from `requirements.lock` alone starts."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    free = {*PRODUCT, *sys.stdlib_module_names, "_typeshed"}  # that one holds types only
    free |= {
        package
        for package, makers in packages_distributions().items()
        if named(project["dependencies"]) & {maker.replace("_", "-").lower() for maker in makers}
    }

    foreign = {
        (where, package)
        for where, module in modules(*PRODUCT)
        for package in (name.partition(".")[0] for name in imported(module))
        if package not in free
    }

    assert foreign == set()


def test_the_makefile_is_short_and_every_target_installs_first() -> None:
    targets = rules()

    assert len((ROOT / "Makefile").read_text().splitlines()) <= 40
    assert targets.keys() >= {"install", "test", "check", "demo", "run", "crash", "chaos", "bench"}
    assert {target for target, needs in targets.items() if "install" not in needs} == {"install"}


def test_the_ci_runs_make_check_and_nothing_else() -> None:
    commands = [
        line
        for line in (ROOT / ".ci" / "run").read_text().splitlines()
        if line and not line.startswith("#")
    ]

    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "make check"]


def test_the_procfile_starts_modules_that_exist() -> None:
    lines = dict(
        line.split(": python -m ") for line in (ROOT / "Procfile").read_text().splitlines()
    )

    assert lines.keys() == {"receiver", "api", "worker", "valkey"}
    assert [name for name in lines.values() if importlib.util.find_spec(name) is None] == []


def test_the_wheel_holds_all_packages_and_the_functions_of_the_store(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = tmp_path.glob("tieline-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())

    assert {name for name, _ in files(*PRODUCT)} <= held
    assert {name for name, _ in files("infra", pattern="*.lua")} <= held
    assert {name.partition("/")[0] for name in held} - {*PRODUCT} == {"tieline-0.1.0.dist-info"}


@pytest.mark.parametrize(
    ("before", "after"), [(b"a", b"a\n"), (b"a\n\n\n", b"a\n"), (b"a\n", b"a\n"), (b"\n", b"")]
)
def test_a_text_ends_in_one_newline(tmp_path: Path, before: bytes, after: bytes) -> None:
    file = tmp_path / "text"
    file.write_bytes(before)

    assert mend(file) is (before != after)
    assert file.read_bytes() == after
