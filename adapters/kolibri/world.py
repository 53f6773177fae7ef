"""Reference data: who there is, and what was given to whom.

What operators PUT names things ("reef"); what is kept refers to them by id. Passwords are kept as argon2 hashes only.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from argon2 import PasswordHasher
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from adapters.kolibri.fields import hex_of
from lrs.plugins import Entry

# The look-up name of a facility whose visitors need not log in.
DEFAULT_FACILITY = "default"
USER_KINDS = ("superuser", "facility_admin", "facility_coach", "class_coach", "learner")


def password_hasher() -> PasswordHasher:
    """Argon2id as OWASP's cheat sheet has it for small memory: 19 MiB, two passes; some 20 ms."""
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class HexId(fields.Field[str]):
    """A UUID in any spelling, loaded as 32 hex digits."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        hex_digits = hex_of(value) if isinstance(value, str) else None
        if hex_digits is None:
            raise ValidationError("must be a UUID")
        return hex_digits


class Part(Schema):
    """A part of the world. What is not needed here is tolerated."""

    class Meta:
        unknown = EXCLUDE

    id = HexId(required=True)


class Facility(Part):
    """A school. Visitors belong to the default one."""

    name = fields.String(load_default="")
    default = fields.Boolean(load_default=False)


class Classroom(Part):
    """A class of a facility."""

    name = fields.String(load_default="")
    facility = fields.String(required=True)


class Group(Part):
    """A learner group inside a class."""

    name = fields.String(load_default="")
    classroom = fields.String(required=True)


class User(Part):
    """A person. Without a password nobody can log in as them; a service may still act on their behalf."""

    username = fields.String(required=True, validate=validate.Length(min=1))
    password = fields.String(load_default=None, allow_none=True)
    full_name = fields.String(load_default="")
    facility = fields.String(required=True)
    kind = fields.String(load_default="learner", validate=validate.OneOf(USER_KINDS))
    classrooms = fields.List(fields.String(), load_default=list)
    groups = fields.List(fields.String(), load_default=list)
    coach_of = fields.List(fields.String(), load_default=list)


class Assigned(Part):
    """Something given to classes and groups, such as "classrooms.reef" and "groups.dune_north"."""

    title = fields.String(load_default="")
    classroom = fields.String(load_default=None, allow_none=True)
    active = fields.Boolean(load_default=True)
    assigned_to = fields.List(fields.String(), load_default=list)


def _parts(schema: type[Schema]) -> Any:
    return fields.Dict(keys=fields.String(), values=fields.Nested(schema), load_default=dict)


class WorldSchema(Schema):
    """The parts by name. Content and constants are tolerated and not kept: the logger never looks at them."""

    class Meta:
        unknown = EXCLUDE

    facilities = _parts(Facility)
    classrooms = _parts(Classroom)
    groups = _parts(Group)
    users = _parts(User)
    lessons = _parts(Assigned)
    quizzes = _parts(Assigned)
    course_sessions = _parts(Assigned)

    @validates_schema(skip_on_field_errors=True)
    def references(self, world: dict[str, Any], **_kwargs: Any) -> None:
        """Everything a part names must be there, and an id be given once in a part."""
        errors = dict(_errors(world))
        if errors:
            raise ValidationError(errors)


def _errors(world: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for part, things in world.items():
        wrong: dict[str, list[str]] = {}
        ids: set[str] = set()
        for name, thing in things.items():
            missing = [reference for reference in _named(thing) if _find(world, reference) is None]
            rules = [f"{reference} is not in this world" for reference in missing]
            if thing["id"] in ids:
                rules.append(f"the id {thing['id']} is there twice")
            ids.add(thing["id"])
            if rules:
                wrong[name] = rules
        if wrong:
            yield part, wrong


def _named(thing: Mapping[str, Any]) -> Iterator[str]:
    """All that a thing refers to, as "part.name"."""
    for one, part in (("facility", "facilities"), ("classroom", "classrooms")):
        if thing.get(one) is not None:
            yield f"{part}.{thing[one]}"
    for many, part in (("classrooms", "classrooms"), ("coach_of", "classrooms"), ("groups", "groups")):
        for name in thing.get(many, ()):
            yield f"{part}.{name}"
    yield from thing.get("assigned_to", ())


def _find(world: Mapping[str, Any], reference: str) -> str | None:
    """The id of "part.name"; None if there is no such thing."""
    part, _, name = reference.partition(".")
    thing = world.get(part, {}).get(name)
    return None if thing is None else thing["id"]


def entries(world: Mapping[str, Any]) -> Iterable[Entry]:
    """What is kept of a loaded world. Slow, for passwords are hashed: some 20 ms of a core each."""
    for facility in world["facilities"].values():
        names = (DEFAULT_FACILITY,) if facility["default"] else ()
        yield Entry("facility", facility["id"], {"name": facility["name"], "default": facility["default"]}, names)
    for room in world["classrooms"].values():
        document = {"name": room["name"], "facility": _find(world, f"facilities.{room['facility']}")}
        yield Entry("classroom", room["id"], document)
    for group in world["groups"].values():
        document = {"name": group["name"], "classroom": _find(world, f"classrooms.{group['classroom']}")}
        yield Entry("group", group["id"], document)
    for kind, part in (("lesson", "lessons"), ("quiz", "quizzes"), ("course_session", "course_sessions")):
        for thing in world[part].values():
            yield Entry(kind, thing["id"], _assigned(world, thing))
    yield from _users(world)


def _assigned(world: Mapping[str, Any], thing: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "title": thing["title"], "active": thing["active"],
        "classroom": thing["classroom"] and _find(world, f"classrooms.{thing['classroom']}"),
        "assigned_to": [_find(world, reference) for reference in thing["assigned_to"]],
    }


def _users(world: Mapping[str, Any]) -> Iterator[Entry]:
    users = list(world["users"].values())
    hasher = password_hasher()
    # The hash lets other threads run.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        hashes = pool.map(lambda user: hasher.hash(user["password"]) if user["password"] is not None else None, users)
        for user, password_hash in zip(users, hashes, strict=True):
            document = {
                "username": user["username"], "full_name": user["full_name"], "kind": user["kind"],
                "password_hash": password_hash, "facility": _find(world, f"facilities.{user['facility']}"),
                "classrooms": [_find(world, f"classrooms.{name}") for name in user["classrooms"]],
                "groups": [_find(world, f"groups.{name}") for name in user["groups"]],
                "coach_of": [_find(world, f"classrooms.{name}") for name in user["coach_of"]],
            }
            yield Entry("user", user["id"], document, (user["username"],))
