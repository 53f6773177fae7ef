"""What OfCourseMe's event types mean in xAPI.

The vendor documents `menu-click`, `course-click` and `course-save`; the other names are this project's, for actions that the
vendor lists without a name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lrs.xapi import vocabulary

COURSE_PREFIX = "course-"

Target: TypeAlias = Literal["course", "search", "platform", "action"]


@dataclass(frozen=True)
class Meaning:
    """A verb, the word it is shown by, and what it is done to. `action_type` is the activity type where that is an action."""

    verb: str
    display: str
    target: Target
    action_type: str = vocabulary.LINK


SELECTED = Meaning(vocabulary.SELECTED, "selected", "course")
SAVED = Meaning(vocabulary.SAVED, "saved", "course")
SHARED = Meaning(vocabulary.SHARED, "shared", "course")
COMPLETED = Meaning(vocabulary.COMPLETED, "completed", "course")
SEARCHED = Meaning(vocabulary.SEARCHED, "searched", "search")
LOGGED_IN = Meaning(vocabulary.LOGGED_IN, "logged-in", "platform")
LOGGED_OUT = Meaning(vocabulary.LOGGED_OUT, "logged-out", "platform")
ACCESSED = Meaning(vocabulary.ACCESSED, "accessed", "action", vocabulary.WEBPAGE)
OTHER_OF_A_COURSE = Meaning(vocabulary.INTERACTED, "interacted", "course")
OTHER = Meaning(vocabulary.INTERACTED, "interacted", "action")

MEANINGS: Mapping[str, Meaning] = {
    "course-click": SELECTED, "course-view": SELECTED,
    "course-save": SAVED, "course-bookmark": SAVED, "course-plan": SAVED,
    "course-suggest": SHARED, "course-suggested": SHARED, "course-share": SHARED,
    "course-complete": COMPLETED, "course-completed": COMPLETED,
    "course-search": SEARCHED, "courses-search": SEARCHED, "search": SEARCHED,
    "login": LOGGED_IN,
    "logout": LOGGED_OUT,
    "compulsory-training-access": ACCESSED, "compulsory-training-access-click": ACCESSED,
    "online-coaching-access": ACCESSED, "online-coaching-access-click": ACCESSED,
    "profile-access": ACCESSED, "profile-access-click": ACCESSED,
}


def meaning_of(event_type: str) -> Meaning:
    """The meaning of a valid event type; one that is not in the table is an interaction with a course or a link."""
    return MEANINGS.get(event_type) or (OTHER_OF_A_COURSE if event_type.startswith(COURSE_PREFIX) else OTHER)
