"""Do the deployment files fit the program: its settings, its figures, its keys, its modules?"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from infra.settings import Settings
from tests.house.tree import PRODUCT, ROOT, files

DEPLOY = ROOT / "infra" / "deploy"
TEXTS = {
    name: path.read_text() for name, path in files("infra/deploy", pattern="*") if path.is_file()
}
FIGURE = re.compile(r"\btieline_[a-z_]+\b(?=[{)\[ ]|$)", re.MULTILINE)
PRIVATE = {
    "receiver": {"door.private"},
    "api": set(),
    "worker": {"vault.private", "deployment"},
}


def documents(name: str) -> list[Any]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def queries() -> Iterator[str]:
    """Every query that the board, the alarms and the scaling ask."""
    board = json.loads((DEPLOY / "grafana" / "board.json").read_text())
    for panel in board["panels"]:
        yield from (target["expr"] for target in panel["targets"])
    for group in documents("prometheus/rules.yaml")[0]["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for trigger in documents("kubernetes/scaling.yaml")[0]["spec"]["triggers"]:
        yield trigger["metadata"]["query"]


def deployments() -> dict[str, dict[str, Any]]:
    return {
        item["metadata"]["name"].removeprefix("tieline-"): item["spec"]["template"]["spec"]
        for item in documents("kubernetes/tieline.yaml")
        if item["kind"] == "Deployment"
    }


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_setting_named_there_exists(name: str) -> None:
    named = set(re.findall(r"\bTIELINE_([A-Z_]+)", TEXTS[name])) - {"MAXMEMORY"}

    assert {setting.lower() for setting in named} <= Settings.model_fields.keys()


def test_every_figure_asked_for_is_told_by_the_program() -> None:
    asked = {figure for query in queries() for figure in FIGURE.findall(query)}
    told = "\n".join(path.read_text() for _, path in files(*PRODUCT))

    assert len(asked) == 7
    assert {figure for figure in asked if f'"{figure.removesuffix("_total")}' not in told} == set()


@pytest.mark.parametrize("process", sorted(PRIVATE))
def test_a_process_is_given_no_private_key_that_it_does_not_need(process: str) -> None:
    public = {"vault.public", "door.public"}
    composed = documents("compose.yaml")[0]["services"][process]
    environment = {
        item["name"]: item.get("value") for item in deployments()[process]["containers"][0]["env"]
    }
    keys = {
        path.removeprefix("/keys/") for path in environment.values() if path.startswith("/keys/")
    }

    assert set(composed["secrets"]) - public == PRIVATE[process]
    assert keys - public == PRIVATE[process]
    assert deployments()[process]["volumes"][0]["secret"]["secretName"] == f"tieline-keys-{process}"


def test_what_is_started_there_exists() -> None:
    started = {spec["containers"][0]["args"][0] for spec in deployments().values()}
    started |= {
        folder.name.removeprefix("tieline@").removesuffix(".service.d")
        for folder in (DEPLOY / "systemd").glob("*.d")
    }

    assert started == {"webhooks.receiver", "webhooks.app", "workers"}
    assert [name for name in started if importlib.util.find_spec(name) is None] == []
