"""Statements for the campaign: of many shapes, all drawn from the seed, each complete so that it comes back as it was sent."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from campaign.ledger import VOIDED

HOME = "https://campaign.example.org"
LEARNERS: tuple[dict[str, Any], ...] = (
    {"objectType": "Agent", "mbox": "mailto:ada@campaign.example.org", "name": "Ada"},
    {"objectType": "Agent", "account": {"homePage": HOME, "name": "bob"}},
    {"objectType": "Agent", "mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"},
    {"objectType": "Agent", "openid": "https://campaign.example.org/people/cyd"},
    {"objectType": "Group", "mbox": "mailto:reef@campaign.example.org",
     "member": [{"objectType": "Agent", "mbox": "mailto:dan@campaign.example.org"}]},
)
OWN_VERBS = (f"{HOME}/verbs/drew", f"{HOME}/verbs/folded")  # which no adapter has
VERBS = (*OWN_VERBS, *(f"http://adlnet.gov/expapi/verbs/{each}" for each in ("answered", "completed", "experienced", "passed")))
REFERRED = "http://adlnet.gov/expapi/verbs/commented"
TYPES = tuple(f"http://adlnet.gov/expapi/activities/{each}" for each in ("assessment", "course", "question"))
# What clocks of clients are off by, in seconds.
OFF_BY_S = (0, 0, 0, -0.3, 2, -45, -3_600, 600, -86_400 * 40)


class Author:
    """Writes statements. Some belong to one of a few registrations, which references are later looked for by."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self.registrations = [self.an_id() for _ in range(4)]

    def an_id(self) -> str:
        """A UUID of version 4."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def statement(self, **parts: Any) -> dict[str, Any]:
        """One about a learner and an activity; whatever is given replaces a part."""
        chance = self._chance
        written: dict[str, Any] = {
            "id": self.an_id(), "version": "1.0.0", "actor": chance.choice(LEARNERS), "verb": {"id": chance.choice(VERBS)},
            "object": self._activity(), "timestamp": self._timestamp(),
        }
        if chance.random() < 0.6:
            written["result"] = self._result()
        context = self._context()
        return {**written, **({"context": context} if context else {}), **parts}

    def another_under(self, statement_id: str) -> dict[str, Any]:
        """A statement that no other is equal to, under an id that may be taken."""
        return self.statement(id=statement_id, verb={"id": f"{HOME}/verbs/{self.an_id()}"})

    def void_of(self, statement_id: str) -> dict[str, Any]:
        """A void."""
        return self._referring(statement_id, VOIDED)

    def reference_to(self, statement_id: str) -> dict[str, Any]:
        """A statement about a statement."""
        return self._referring(statement_id, REFERRED)

    def _referring(self, statement_id: str, verb: str) -> dict[str, Any]:
        return {
            "id": self.an_id(), "version": "1.0.0", "actor": LEARNERS[0], "verb": {"id": verb},
            "object": {"objectType": "StatementRef", "id": statement_id}, "timestamp": self._timestamp(),
        }

    def _timestamp(self) -> str:
        moment = datetime.now(UTC) + timedelta(seconds=self._chance.choice(OFF_BY_S), microseconds=self._chance.randrange(1_000_000))
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _activity(self) -> dict[str, Any]:
        chance = self._chance
        number = chance.randrange(8)
        activity: dict[str, Any] = {"objectType": "Activity", "id": f"{HOME}/activities/{number}"}
        if chance.random() < 0.5:
            activity["definition"] = {
                "type": TYPES[number % len(TYPES)],
                "name": {chance.choice(("en", "de", "el")): f"No. {number}, as of {chance.randrange(100)}"},
            }
        return activity

    def _result(self) -> dict[str, Any]:
        chance = self._chance
        return {
            "score": {"scaled": round(chance.random(), 3)}, "success": chance.random() < 0.5, "completion": chance.random() < 0.7,
            "duration": f"PT{chance.randrange(600)}.{chance.randrange(1, 10)}S",
            "extensions": {f"{HOME}/ext": {"a.b": 1e21, "$c": [None, "ünïcødé \u2028", chance.random()]}},
        }

    def _context(self) -> dict[str, Any]:
        chance = self._chance
        context: dict[str, Any] = {}
        if chance.random() < 0.3:
            context["registration"] = chance.choice(self.registrations)
        if chance.random() < 0.5:
            context["contextActivities"] = {"parent": [{"objectType": "Activity", "id": f"{HOME}/courses/{chance.randrange(3)}"}]}
        return context
