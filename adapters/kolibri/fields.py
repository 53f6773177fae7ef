"""Fields with Kolibri's coercions and error ids.

Every fault is a pair of an error id and words for people; the words are not part of the contract.
"""

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import Schema, ValidationError, fields

from adapters.kolibri.facts import plain

HEX32 = re.compile(r"[0-9a-f]{32}")
TRUE = frozenset({"t", "y", "yes", "true", "on", "1"})
FALSE = frozenset({"f", "n", "no", "false", "off", "0"})
LONGEST_NUMBER = 1000  # characters; as Kolibri does, since reading more is expensive
LONGEST_LIST = 1000  # entries; devices send a handful, and each costs a statement
DEEPEST = 50  # levels, so that statements in their pages stay within the 64 that any reader here takes


class Fault(NamedTuple):
    """An error id of Kolibri and what it means here."""

    id: str
    message: str


def fault(error_id: str, message: str) -> ValidationError:
    """The error of one value."""
    return ValidationError([Fault(error_id, message)])


class Coded(fields.Field[Any]):
    """A field whose own errors, missing and null, are faults, too."""

    def make_error(self, key: str, **_kwargs: Any) -> ValidationError:
        """REQUIRED, NULL or INVALID, whichever marshmallow finds by itself."""
        if key == "required":
            return fault("REQUIRED", "This field is required.")
        if key == "null":
            return fault("NULL", "This field may not be null.")
        return fault("INVALID", "This is not a valid value.")


class Hex(Coded):
    """A UUID with or without dashes, in either case, or as an integer; loaded as 32 lower-case hex digits."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        hex_digits = hex_of(value)
        if hex_digits is None:
            raise fault("INVALID", f"{_short(value)} is not a valid UUID.")
        return hex_digits


class Number(Coded):
    """A finite double from a number, a boolean or a numeric text, within bounds."""

    def __init__(self, *, least: float | None = None, most: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> float:
        number = number_of(value)
        if number is None:
            raise fault("INVALID", "A valid number is required.")
        if self.most is not None and number > self.most:
            raise fault("MAX_VALUE", f"Ensure this value is less than or equal to {self.most:g}.")
        if self.least is not None and number < self.least:
            raise fault("MIN_VALUE", f"Ensure this value is greater than or equal to {self.least:g}.")
        return number


class Truth(Coded):
    """A boolean from true, "true", "f", "yes", 1, "0" and the like."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> bool:
        text = str(int(value)) if isinstance(value, bool | int | float) and value in (0, 1) else value
        if isinstance(text, str) and text.lower() in TRUE:
            return True
        if isinstance(text, str) and text.lower() in FALSE:
            return False
        raise fault("INVALID", "Must be a valid boolean.")


class Text(Coded):
    """Text without white space around it, or a number, kept as text."""

    def __init__(self, *, may_be_blank: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.may_be_blank = may_be_blank

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise fault("INVALID", "Not a valid string.")
        text = str(value).strip()
        if not text and not self.may_be_blank:
            raise fault("BLANK", "This field may not be blank.")
        if "\0" in text:
            raise fault("INVALID", "Null characters are not allowed.")
        return text


class Choice(Coded):
    """One of some words."""

    def __init__(self, choices: frozenset[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise fault("INVALID_CHOICE", f"{_short(value)} is not a valid choice.")
        return value


class Record(Coded):
    """Any JSON object, kept as it is but for numbers that no double holds."""

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise fault("NOT_A_DICT", "Expected a dictionary of items.")
        if not _is_shallow(value, DEEPEST):
            raise fault("INVALID", f"Must not be nested deeper than {DEEPEST} levels.")
        loaded: Mapping[str, Any] = plain(value)
        return loaded


class ListOf(Coded):
    """A list of objects of one schema. Errors come as {index: {field: faults}}; of what is no list, as words only."""

    def __init__(self, schema: type[Schema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = cache(schema)

    def _deserialize(self, value: Any, *_args: Any, **_kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ValidationError({"non_field_errors": ["Expected a list of items."]})
        if len(value) > LONGEST_LIST:
            raise fault("INVALID", f"Must not have more than {LONGEST_LIST} entries.")
        schema, loaded, errors = self.schema(), [], {}
        for index, item in enumerate(value):
            try:
                loaded.append(load(schema, item))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return loaded


def load(schema: Schema, value: Any) -> Any:
    """What the schema makes of a JSON value; what is no object is a fault of the whole."""
    if not isinstance(value, dict):
        raise ValidationError({"_schema": [Fault("INVALID", "Invalid data. Expected a dictionary.")]})
    return schema.load(value)


def hex_of(value: Any) -> str | None:
    """32 lower-case hex digits of a UUID in any of its spellings; None if it is none."""
    # An integer over 64 bits arrives as a float that knows its text.
    number = int(str(value)) if isinstance(value, float) and str(value).isdecimal() else value
    if isinstance(number, int) and 0 <= number < 1 << 128:
        return UUID(int=int(number)).hex
    if not isinstance(value, str):
        return None
    digits = value.lower().removeprefix("urn:uuid:").strip("{}").replace("-", "")
    return digits if HEX32.fullmatch(digits) else None


def number_of(value: Any) -> float | None:
    """A finite double of a number, a boolean or a numeric text; None if it is none."""
    if not isinstance(value, str | int | float) or (isinstance(value, str) and len(value) > LONGEST_NUMBER):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _is_shallow(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is None or (levels > 0 and all(_is_shallow(each, levels - 1) for each in inner))


def _short(value: Any) -> str:
    text = str(value)
    return f'"{text}"' if len(text) <= 60 else f'"{text[:57]}..."'
