"""What may Microsoft Graph encrypt with for us? `tieline certificate` makes it, and the next."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from infra import certificates
from infra.cli.terminal import show
from infra.errors import Refused


def certificate(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where keys and certificates live; for workers.")],
) -> None:
    """Make a certificate for the content of Microsoft 365's notifications.

    A file that is there keeps the older ones: they open what is under way. Restart the workers
    then; subscriptions change over when they are renewed, within a day.
    """
    try:
        made = certificates.make(file, now=datetime.now(UTC))
    except (OSError, Refused) as error:
        raise typer.BadParameter(str(error)) from error
    lines = [f"{file} holds the new certificate {made.id}, first."]
    show(ctx, {"certificate": made.id, "file": str(file)}, lines)
