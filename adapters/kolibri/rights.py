"""Who is a member of what, and who may see whose logs. Pure, over one snapshot of the world."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Kinds = Mapping[str, Mapping[str, Mapping[str, Any]]]

FACILITY_WIDE = frozenset({"facility_admin", "facility_coach"})


@dataclass(frozen=True)
class Reach:
    """Whose logs somebody may see: `users` (None: everybody's), and whether visitors' too."""

    users: frozenset[str] | None
    visitors: bool = False

    def covers(self, user: str | None) -> bool:
        """Whether the logs of a user (None: a visitor) are in reach."""
        if user is None:
            return self.visitors
        return self.users is None or user in self.users


NOTHING = Reach(frozenset())


class World:
    """Users, classes and what is given to them, with the look-ups that calls need."""

    def __init__(self, kinds: Kinds) -> None:
        self._kinds = kinds
        self._users = kinds.get("user", {})
        self._by_username: dict[str, list[str]] = defaultdict(list)
        self._members: dict[str, set[str]] = defaultdict(set)
        for user_id, user in self._users.items():
            self._by_username[user["username"]].append(user_id)
            for place in self.memberships(user_id):
                self._members[place].add(user_id)

    @property
    def has_visitors(self) -> bool:
        """Whether there is a default facility, to which visitors belong."""
        return any(facility["default"] for facility in self._kinds.get("facility", {}).values())

    def user(self, user_id: str) -> Mapping[str, Any] | None:
        """A user by id."""
        return self._users.get(user_id)

    def named(self, username: str) -> list[tuple[str, Mapping[str, Any]]]:
        """Users by name: names are unique in a facility only."""
        return [(user_id, self._users[user_id]) for user_id in self._by_username.get(username, ())]

    def memberships(self, user_id: str) -> set[str]:
        """The classes and groups of a user; who is in a group is in its class."""
        user = self._users[user_id]
        groups = set(user["groups"])
        rooms = {self._kinds["group"][group]["classroom"] for group in groups}
        return groups | rooms | set(user["classrooms"])

    def is_given(self, kind: str, thing_id: str, user_id: str) -> bool:
        """Whether a lesson, quiz or course session is assigned to a class or group of the user."""
        thing = self._kinds.get(kind, {}).get(thing_id)
        return thing is not None and not self.memberships(user_id).isdisjoint(thing["assigned_to"])

    def quiz(self, quiz_id: str) -> Mapping[str, Any] | None:
        """A coach's quiz by id."""
        return self._kinds.get("quiz", {}).get(quiz_id)

    def may_lead(self, user_id: str, quiz: Mapping[str, Any]) -> bool:
        """Whether somebody may end, close and open a quiz: whoever coaches its class, or the facility."""
        user = self._users[user_id]
        if user["kind"] == "superuser" or quiz["classroom"] in user["coach_of"]:
            return True
        room = self._kinds.get("classroom", {}).get(quiz["classroom"])
        return user["kind"] in FACILITY_WIDE and room is not None and room["facility"] == user["facility"]

    def in_facility(self, facility_id: str) -> frozenset[str]:
        """The users of a facility, members of classes or not."""
        return frozenset(each for each, user in self._users.items() if user["facility"] == facility_id)

    def members(self, place_id: str) -> frozenset[str]:
        """The members of a class, those of its groups included, or of a group."""
        return frozenset(self._members.get(place_id, ()))

    def chosen(self, query: Mapping[str, Any]) -> list[frozenset[str]]:
        """The users that each of the filters by place leaves."""
        found = [self.in_facility(query["facility"])] if "facility" in query else []
        return found + [self.members(query[name]) for name in ("classroom", "learner_group") if name in query]

    def reach_of(self, user_id: str | None) -> Reach:
        """Whose logs somebody may see: their own, and what their role gives them."""
        if user_id is None:
            return NOTHING
        user = self._users[user_id]
        if user["kind"] == "superuser":
            return Reach(None, visitors=True)
        if user["kind"] in FACILITY_WIDE:
            is_default = bool(self._kinds["facility"][user["facility"]]["default"])
            return Reach(self.in_facility(user["facility"]) | {user_id}, visitors=is_default)
        learners = (self.members(room) for room in user["coach_of"])
        return Reach(frozenset({user_id}).union(*learners))
