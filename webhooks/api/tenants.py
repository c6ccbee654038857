"""Who is there? Tenants and their applications: the operator's room."""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic import Field

from infra.lanes import IndexSet, Unit
from schemas.people import Application, Tenant
from schemas.problems import ProblemType
from schemas.records import Moment
from webhooks.api.auth import TENANT
from webhooks.api.lists import page_of, the
from webhooks.api.operation import Answer, Call, Operation, Row, Shape
from webhooks.api.problems import Denied


class NewTenant(Shape):
    """A customer's organisation. Its id is part of every key and address of it, for good."""

    id: str = Field(pattern=f"^{TENANT}$", examples=["acme"])
    name: str = Field(min_length=1, max_length=200, examples=["Acme Ltd"])


class TenantView(Shape):
    """A tenant."""

    id: str
    name: str
    created_at: Moment


class Tenants(Shape):
    """A page of tenants."""

    items: tuple[TenantView, ...]
    next: str | None


class NewApplication(Shape):
    """A partner's application."""

    name: str = Field(min_length=1, max_length=200, examples=["Recruiting"])


class ApplicationView(Shape):
    """An application."""

    id: str
    name: str
    created_at: Moment


class Applications(Shape):
    """A page of applications."""

    items: tuple[ApplicationView, ...]
    next: str | None


async def create_tenant(call: Call[NewTenant]) -> Answer:
    """A second call with the same body answers the same tenant."""
    store = call.front.store
    tenant = Tenant(id=call.body.id, name=call.body.name, created_at=call.now)
    known = await store.documents.get(tenant.id, Tenant, tenant.id)
    if known is not None and known.name != tenant.name:
        raise Denied(
            ProblemType.DIFFERENT_BODY,
            f"Tenant {tenant.id} exists under another name. Choose another id.",
        )
    if known is None:
        await store.lanes.submit(tenant.id, Unit(puts=[tenant]))
    await store.register.add(tenant.id)  # repeated, so that a crash between the two is mended
    view = TenantView.model_validate(known or tenant, from_attributes=True)
    return Answer(view, status=200 if known else 201)


async def list_tenants(call: Call[None]) -> Answer:
    """Tenants lie in slots of their own, so each is read by itself."""
    store = call.front.store
    names = await store.register.page(call.page.after, call.page.limit + 1)
    chosen = names[: call.page.limit]
    found = [await store.documents.get(name, Tenant, name) for name in chosen]
    views = tuple(
        TenantView.model_validate(tenant, from_attributes=True)
        for tenant in found
        if tenant is not None
    )
    return Answer(Tenants(items=views, next=chosen[-1] if len(names) > len(chosen) else None))


async def create_application(call: Call[NewApplication]) -> Answer:
    """Each call makes one."""
    await the(call, Tenant, call.tenant, "tenant")
    application = Application(id=call.front.new_id("app"), name=call.body.name, created_at=call.now)
    listed = IndexSet("applications", application.id, "")
    view = ApplicationView.model_validate(application, from_attributes=True)
    return await call.submit(Unit(puts=[application], index=[listed]), Answer(view))


async def list_applications(call: Call[None]) -> Answer:
    """In order of their ids."""
    await the(call, Tenant, call.tenant, "tenant")
    found, more = await page_of(call, "applications", Application)
    views = (ApplicationView.model_validate(one, from_attributes=True) for one in found)
    return Answer(Applications(items=tuple(views), next=more))


_row = partial(Operation[Any], room="Tenants", needs="operator")

ROWS: tuple[Row, ...] = (
    _row(
        name="createTenant",
        method="POST",
        path="/v1/tenants",
        says="Make a tenant. Repeating the call is harmless.",
        handle=create_tenant,
        takes=NewTenant,
        gives=TenantView,
        status=201,
        harmless=True,
        also={200: "It exists already, with this name."},
        problems=(ProblemType.DIFFERENT_BODY,),
    ),
    _row(
        name="listTenants",
        method="GET",
        path="/v1/tenants",
        says="All tenants, in order of their ids.",
        handle=list_tenants,
        gives=Tenants,
        paged=True,
    ),
    _row(
        name="createApplication",
        method="POST",
        path="/v1/tenants/{tenant}/applications",
        says="Make an application of a tenant.",
        handle=create_application,
        takes=NewApplication,
        gives=ApplicationView,
        status=201,
        harmless=True,
    ),
    _row(
        name="listApplications",
        method="GET",
        path="/v1/tenants/{tenant}/applications",
        says="The applications of a tenant.",
        handle=list_applications,
        gives=Applications,
        paged=True,
    ),
)
