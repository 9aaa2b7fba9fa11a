"""What an agent says of a customer: name, attributes, tags."""

from typing import Annotated, Any

import orjson
from pydantic import Field, StringConstraints
from rest_framework.request import Request

from customers import attributes
from customers.api import shapes
from customers.api.merging import settled
from customers.api.problems import Problem
from customers.api.views import View, body_of, reading, standing_or_problem
from customers.byhand import card_beside_founder
from customers.cards import cards
from customers.merging import holding

LONGEST = 4000

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]


class TagsWanted(shapes.Shape):
    add: Annotated[list[Tag], Field(max_length=100)] = []
    remove: Annotated[list[Tag], Field(max_length=100)] = []


class PatchWanted(shapes.Shape):
    model_config = shapes.example({"attributes": {"city": "Vilnius"}, "tags": {"add": ["vip"]}})

    attributes: Annotated[dict[Key, Any], Field(max_length=100)] = {}
    name: Name | None = None
    tags: TagsWanted | None = None


def patch(request: Request, customer: str) -> None:
    """Claim it on the customer's card, so that a merge and its undo give every card back as it was."""
    given = request.headers.get("If-Match", "").split(",")
    versions = [one.strip().removeprefix("W/").strip('"') for one in given if one.strip()]
    if not versions:
        raise Problem("missing_field", "Send the card's version as If-Match.", field="If-Match")
    said = said_in(shapes.validated(PatchWanted, body_of(request)))
    viewer = View.principal(request).viewer

    def work() -> None:
        with reading() as sql:
            root = standing_or_problem(sql, customer)
        with holding(root) as (sql, _):
            (text,) = cards(sql, [root]).values()
            if orjson.loads(text)["version"] not in versions:
                raise Problem("conflict", "The card changed since it was read.", field="If-Match")
            card, _ = card_beside_founder(sql, root, by=viewer)
            attributes.claim(sql, card, said)

    settled(work)


def said_in(wanted: PatchWanted) -> dict[str, Any]:
    """{key: value} of the claims; raises Problem for what no such attribute can be."""
    said = dict(wanted.attributes)
    for key, value in said.items():
        if key == "name" or key.startswith(attributes.TAG):
            raise Problem("invalid_value", "A name and tags have fields of their own.", field=f"attributes.{key}")
        if value is not None and key == attributes.BIRTHDAY:
            said[key] = attributes.birthday(value)
            if not said[key]:
                raise Problem("invalid_value", "A birthday is a date, e.g. 1990-05-17.", field=f"attributes.{key}")
        if len(orjson.dumps(value)) > LONGEST:
            raise Problem("invalid_value", f"A value may have {LONGEST} bytes.", field=f"attributes.{key}")
    if "name" in wanted.model_fields_set:
        said["name"] = wanted.name
    if wanted.tags:
        said |= {attributes.TAG + tag: True for tag in wanted.tags.add}
        said |= {attributes.TAG + tag: None for tag in wanted.tags.remove}
    if not said:
        raise Problem("missing_field", "Say what changes: name, attributes or tags.", field="attributes")
    return said
