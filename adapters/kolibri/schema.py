"""The shapes of what learners' devices send to the logger, and of this adapter's settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, post_load, validates_schema

from adapters.kolibri.facts import LARGEST
from adapters.kolibri.fields import Choice, Coded, Fault, Hex, ListOf, Number, Record, Text, Truth, load
from lrs.adapter_settings import AdapterSettings, absolute_iri, language_tag, platform_name

KINDS = frozenset({"topic", "video", "audio", "exercise", "document", "html5", "slideshow", "h5p", "zim", "quiz"})
CRITERIA = frozenset({
    "do_all", "num_correct_in_a_row_2", "num_correct_in_a_row_3", "num_correct_in_a_row_5", "num_correct_in_a_row_10",
    "m_of_n", "skill_check", "quiz", "pre_post_test",
})


@dataclass(frozen=True)
class StartEvent:
    """What opens a session. Ids are 32 hex digits; `criterion` is the mastery model."""

    node_id: str | None = None
    content_id: str | None = None
    channel_id: str | None = None
    kind: str | None = None
    lesson_id: str | None = None
    quiz_id: str | None = None
    criterion: Mapping[str, Any] | None = None
    repeat: bool = False
    course_session_id: str | None = None
    unit_id: str | None = None
    test_type: str | None = None


@dataclass(frozen=True)
class Interaction:
    """One interaction with a question. `time_spent` is seconds for the attempt so far, `correct` 0..1."""

    item: str
    correct: float
    time_spent: float
    complete: bool = False
    answer: Mapping[str, Any] | None = None
    simple_answer: str | None = None
    error: bool = False
    hinted: bool = False
    replace: bool = False
    id: str | None = None


@dataclass(frozen=True)
class UpdateEvent:
    """What goes on in a session. Progress is 0..1, time seconds; `interactions` is None if there was no such field."""

    progress_delta: float | None = None
    progress: float | None = None
    time_spent_delta: float = 0.0
    extra_fields: Mapping[str, Any] | None = None
    interactions: tuple[Interaction, ...] | None = None


class Lenient(Schema):
    """Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE


class Criterion(Lenient):
    """A mastery model. Other keys are dropped, so no client makes a quiz a coach's."""

    type = Choice(CRITERIA, required=True)
    m = Number()
    n = Number()

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
        """Kolibri fails on an m_of_n without both numbers, or with a negative one; a client is better told."""
        for name in ("m", "n"):
            if name in data:
                if data[name] != int(data[name]) or data[name] < 0:
                    raise ValidationError([Fault("INVALID", "A valid integer is required.")], name)
                data[name] = int(data[name])
            elif data["type"] == "m_of_n":
                raise ValidationError([Fault("REQUIRED", "This field is required.")], name)
        return data


class CriterionField(Coded):
    """A mastery model; its faults stay nested."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Any:
        return load(criterion_schema(), value)


class StartSchema(Lenient):
    """The body of a start."""

    node_id = Hex()
    content_id = Hex()
    channel_id = Hex()
    kind = Choice(KINDS)
    lesson_id = Hex()
    quiz_id = Hex()
    criterion = CriterionField(data_key="mastery_model")
    repeat = Truth()
    course_session_id = Hex()
    unit_id = Hex()
    test_type = Choice(frozenset({"pre", "post"}))

    @validates_schema(skip_on_field_errors=True)
    def across(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """What must come together, and what may not."""
        forbidden = _combination(data)
        if forbidden:
            raise ValidationError([Fault("INVALID", forbidden)])
        if "node_id" not in data:
            return
        faults = {
            name: [Fault("INVALID", f"{name} is required with node_id")]
            for name in ("kind", "content_id", "channel_id") if name not in data
        }
        is_exercise = data.get("kind") == "exercise"
        if "kind" in data and is_exercise != ("criterion" in data):
            rule = "required for exercises" if is_exercise else "allowed for exercises only"
            faults["mastery_model"] = [Fault("INVALID", f"mastery_model is {rule}")]
        if faults:
            raise ValidationError(faults)

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> StartEvent:
        """The loaded event."""
        return StartEvent(**data)


def _combination(data: Mapping[str, Any]) -> str | None:
    """What is wrong with the fields that say what is opened."""
    if not data.keys() & {"node_id", "quiz_id", "unit_id"}:
        return "one of node_id, quiz_id and unit_id is required"
    if "quiz_id" in data and data.keys() & {"node_id", "lesson_id", "unit_id"}:
        return "quiz_id cannot stand with node_id, lesson_id or unit_id"
    if "unit_id" in data and data.keys() & {"node_id", "lesson_id"}:
        return "unit_id cannot stand with node_id or lesson_id"
    if "unit_id" in data and not {"course_session_id", "test_type"} <= data.keys():
        return "unit_id needs course_session_id and test_type"
    if {"course_session_id", "lesson_id"} <= data.keys():
        return "course_session_id cannot stand with lesson_id"
    return None


class InteractionSchema(Lenient):
    """One entry of `interactions`."""

    item = Text(required=True)
    correct = Number(least=0, most=1, required=True)
    time_spent = Number(least=0, most=LARGEST, required=True)
    complete = Truth()
    answer = Record()
    simple_answer = Text(may_be_blank=True)
    error = Truth()
    hinted = Truth()
    replace = Truth()
    id = Hex()

    @validates_schema(skip_on_field_errors=True)
    def across(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """An answer is needed, unless there was an error."""
        if "answer" not in data and not data.get("error"):
            raise ValidationError([Fault("INVALID", "answer is required, unless error is true")])

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> Interaction:
        """The loaded interaction."""
        return Interaction(**data)


class UpdateSchema(Lenient):
    """The body of an update."""

    progress_delta = Number(least=0, most=1)
    progress = Number(least=0, most=1)
    time_spent_delta = Number(least=0, most=LARGEST)
    extra_fields = Record()
    interactions = ListOf(InteractionSchema)

    @validates_schema(skip_on_field_errors=True)
    def across(self, data: dict[str, Any], **_kwargs: Any) -> None:
        """Progress comes one way."""
        if {"progress", "progress_delta"} <= data.keys():
            raise ValidationError([Fault("INVALID", "progress and progress_delta cannot stand together")])

    @post_load
    def make(self, data: dict[str, Any], **_kwargs: Any) -> UpdateEvent:
        """The loaded event."""
        if "interactions" in data:
            data["interactions"] = tuple(data["interactions"])
        return UpdateEvent(**data)


class QuizChangeSchema(Lenient):
    """What a coach says of a quiz."""

    archive = Truth()
    active = Truth()


class SettingsSchema(AdapterSettings):
    """Settings of a tenant."""

    home_page = absolute_iri("https://kolibri.example.org")
    platform = platform_name("Kolibri")
    language = language_tag("en")


def start_event(body: Any) -> StartEvent:
    """A start out of a body. Raises ValidationError with faults."""
    event: StartEvent = load(start_schema(), body)
    return event


def update_event(body: Any) -> UpdateEvent:
    """An update out of a body. Raises ValidationError with faults."""
    event: UpdateEvent = load(update_schema(), body)
    return event


# Building a schema costs more than loading with it.
criterion_schema = cache(Criterion)
start_schema = cache(StartSchema)
update_schema = cache(UpdateSchema)
quiz_change_schema = cache(QuizChangeSchema)
