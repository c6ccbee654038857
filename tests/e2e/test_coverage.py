"""A calendar that fails, and one that nobody watches: said by doctor, figures and timeline."""

from __future__ import annotations

import httpx

from tests.e2e.household import Household, until


async def figure(home: Household, labels: str) -> float:
    """Calendars of the installation so labelled, as its worker tells them."""
    async with httpx.AsyncClient(base_url=home.house.worker, trust_env=False) as http:
        lines = (await http.get("/metrics")).text.splitlines()
    head = f"tieline_calendars{{{labels}}} "
    return float(next((line.removeprefix(head) for line in lines if line.startswith(head)), "0"))


async def test_doctor_figures_and_timeline_name_what_fails_and_what_nobody_watches(
    home: Household,
) -> None:
    """T12, T15 and B-14."""
    unwatched = await home.sandbox.google.add_calendar(home.calendar, "team")
    await home.sandbox.fault("google.list", "before", status=403, reason="forbidden", rate=1.0)
    await home.sandbox.google.notify(home.calendar)

    async def failing() -> bool:
        told = await home.api.get(f"/v1/calendars/{home.watched}")
        return bool(told["state"] == "failing")

    await until(failing, "the trouble of the calendar")
    code, found = await home.tieline("doctor")
    _, timeline = await home.tieline("timeline", home.watched)

    said = {(one["level"], one["about"]): one["words"] for one in found}
    assert code == 1
    assert said["ok", home.google] == "0 of 2 calendars are watched."
    assert "is failing: " in said["wrong", home.watched]
    assert f"tieline timeline {home.watched}" in said["wrong", home.watched]
    assert f"Calendar {unwatched}: nobody asked" in said["warning", home.google]
    assert timeline[-1]["what"] == "calendar.failing"
    assert timeline[-1]["words"] in said["wrong", home.watched]
    assert await figure(home, 'reason="in trouble",state="unwatched"') >= 1
