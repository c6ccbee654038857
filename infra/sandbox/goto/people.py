"""Who is in an account: the caller, organizers, groups?"""

from __future__ import annotations

from infra.sandbox.calls import Call, Reply, answer
from infra.sandbox.documents import Doc, text
from infra.sandbox.goto.errors import invalid, not_found, refuse
from infra.sandbox.goto.simulator import GoTo
from infra.sandbox.goto.state import Organizer

PRODUCTS = ("G2M", "G2W", "G2T", "OPENVOICE")
WITH_MEETINGS = ("G2W", "G2T")
"""Who may hold webinars or trainings may hold meetings too."""


def me(goto: GoTo, call: Call) -> Reply:
    """`GET /admin/rest/v1/me`: an object, of the Admin Center."""
    found = goto.signed_in(call)
    told: Doc = {
        "key": found.key,
        "accountKey": found.account,
        "email": found.email,
        "firstName": found.first_name,
        "lastName": found.last_name,
        "accounts": [{"key": found.account, "name": "My account"}],
    }
    return answer(told)


def listed(goto: GoTo, call: Call) -> Reply:
    """`GET /organizers`: all of the account, or the one of `email`."""
    admin, email = goto.admin(call), call.query.get("email", "")
    if not email:
        everybody = [one for one in goto.people.values() if one.account == admin.account]
        return answer([_shown(goto, one) for one in everybody])
    found = goto.by_email(email, admin.account)
    if found is None:
        raise not_found("Organizer")
    return answer([_shown(goto, found)])


def get(goto: GoTo, call: Call) -> Reply:
    """`GET /organizers/{key}`: an array of one; anybody may ask about themselves."""
    return answer([_shown(goto, goto.organizer(call))])


def create(goto: GoTo, call: Call) -> Reply:
    """`POST /organizers`: invites a person by mail."""
    return _invite(goto, call, goto.admin(call), group="")


def create_in_group(goto: GoTo, call: Call) -> Reply:
    """`POST /groups/{key}/organizers`."""
    group = goto.group(call)
    return _invite(goto, call, goto.admin(call), group=group.key)


def change(goto: GoTo, call: Call) -> Reply:
    """`PUT /organizers/{key}`: one more product, or none at all (suspended)."""
    goto.admin(call)
    found, body = goto.organizer(call), _body(call)
    if text(body, "status") == "suspended":
        found.suspended, found.products = True, []
    elif text(body, "productType") in PRODUCTS:
        _license(goto, found, text(body, "productType"))
        found.suspended = False
    else:
        raise invalid("productType or status is wanted.")
    return Reply(204)


def delete(goto: GoTo, call: Call) -> Reply:
    """`DELETE /organizers/{key}`."""
    goto.admin(call)
    del goto.people[goto.organizer(call).key]
    return Reply(204)


def delete_by_email(goto: GoTo, call: Call) -> Reply:
    """`DELETE /organizers?email=`."""
    admin = goto.admin(call)
    found = goto.by_email(call.query.get("email", ""), admin.account)
    if found is None:
        raise invalid("There is no such organizer.")
    del goto.people[found.key]
    return Reply(204)


def groups(goto: GoTo, call: Call) -> Reply:
    """`GET /groups`."""
    admin = goto.admin(call)
    told = [
        {
            "groupkey": int(one.key),
            "groupName": one.name,
            "parentKey": int(one.parent),
            "status": "active",
            "numOrganizers": len(goto.members(one)),
        }
        for one in goto.groups.values()
        if one.account == admin.account
    ]
    return answer(told)


def in_group(goto: GoTo, call: Call) -> Reply:
    """`GET /groups/{key}/organizers`: also those who have not accepted yet."""
    return answer([_shown(goto, one) for one in goto.members(goto.group(call))])


def _invite(goto: GoTo, call: Call, admin: Organizer, *, group: str) -> Reply:
    body = _body(call)
    email, product = text(body, "organizerEmail"), text(body, "productType")
    if "@" not in email or product not in PRODUCTS:
        raise invalid("organizerEmail and a known productType are wanted.")
    if goto.by_email(email, admin.account) is not None:
        raise refuse(409, "OrganizerExists", "The organizer exists already.")
    person = Organizer(
        key=goto.key(),
        email=email,
        first_name=text(body, "firstName"),
        last_name=text(body, "lastName"),
        account=admin.account,
        group=group or admin.group,
        accepted=False,
        products=[],
    )
    _license(goto, person, product)
    goto.people[person.key] = person
    if goto.settings.as_seen:
        return Reply(201)
    return answer([{"key": int(person.key), "email": email}], 201)


def _license(goto: GoTo, person: Organizer, product: str) -> None:
    """Use one licence of the account, unless the person holds one."""
    used = sum(1 for one in goto.people.values() if one.account == person.account and one.products)
    if not person.products and used >= goto.accounts[person.account].licences:
        raise refuse(403, "NoLicense", f"No license available: {used} out of {used} in use.")
    implied = ["G2M"] if product in WITH_MEETINGS else []
    person.products = list(dict.fromkeys([*person.products, product, *implied]))


def _shown(goto: GoTo, one: Organizer) -> Doc:
    group = goto.groups.get(one.group)
    told: Doc = {
        "email": one.email,
        "firstName": one.first_name,
        "lastName": one.last_name,
        "groupId": int(group.key) if group else 0,
        "groupName": group.name if group else "",
        "status": "suspended" if one.suspended else "active",
        "maxNumAttendeesAllowed": 26,
        "products": one.products,
    }
    if one.accepted:
        told["organizerKey"] = int(one.key)
    return told


def _body(call: Call) -> Doc:
    try:
        return call.json()
    except ValueError as error:
        raise invalid("The body is not a JSON object.") from error
