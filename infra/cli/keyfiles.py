"""Which process may read which secret? Key files are made once and handed to who needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra import seal

VAULT: Final = "vault"
DOOR: Final = "door"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """The files below `<data dir>/keys`."""

    home: Path

    @property
    def admin(self) -> Path:
        """The operator's key for the API, when the environment gives none."""
        return self.home / "admin.key"

    @property
    def deployment(self) -> Path:
        """Key of the references that our conferences carry."""
        return self.home / "deployment.key"

    def private(self, name: str) -> Path:
        """The private half."""
        return self.home / f"{name}.private"

    def public(self, name: str) -> Path:
        """The public half."""
        return self.home / f"{name}.public"

    def make_missing(self) -> None:
        """Make what is not there yet; what is there stays."""
        for name in (VAULT, DOOR):
            if not self.private(name).exists():
                seal.generate(self.private(name), self.public(name))
            elif not self.public(name).exists():
                seal.publish(self.private(name), self.public(name))
        for path in (self.deployment, self.admin):
            if not path.exists():
                seal.write_secret(path)

    def environment(self, process: str) -> Mapping[str, str]:
        """What this process is given: the doors never see the vault's private key (B-15)."""
        given = {
            "TIELINE_VAULT_PUBLIC_KEY_FILE": str(self.public(VAULT)),
            "TIELINE_DOOR_PUBLIC_KEY_FILE": str(self.public(DOOR)),
        }
        match process:
            case "receiver":
                given["TIELINE_DOOR_PRIVATE_KEY_FILE"] = str(self.private(DOOR))
            case "api":
                given["TIELINE_ADMIN_KEY"] = seal.read_secret(self.admin).decode()
            case "worker":
                given["TIELINE_VAULT_PRIVATE_KEY_FILE"] = str(self.private(VAULT))
                given["TIELINE_DEPLOYMENT_KEY_FILE"] = str(self.deployment)
            case _:
                pass
        return given
