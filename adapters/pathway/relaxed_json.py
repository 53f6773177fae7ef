"""JSON as people type it into documentation: keys without quotes, single quotes, a comma after the last item. Pure.

Nothing else is forgiven, and what strict JSON parses has the same value here. Nothing is evaluated; the time is linear in the text.
"""

import re
from collections.abc import Callable
from typing import Any

from lrs.errors import InvalidBody
from lrs.xapi.json_text import MAX_DEPTH, TOO_DEEP, parse

LONGEST = 1024 * 1024
SPACE = re.compile(r"[ \t\r\n]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
TEXTS = {
    quote: re.compile(rf"{quote}([^{quote}\\\x00-\x1f]*(?:\\(?:[\"'\\/bfnrt]|u[0-9a-fA-F]{{4}})[^{quote}\\\x00-\x1f]*)*){quote}")
    for quote in "\"'"
}
ESCAPE = re.compile(r"\\(u([0-9a-fA-F]{4})|.)")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WORDS = {"true": True, "false": False, "null": None}


def parse_relaxed(text: str) -> Any:
    """The value of a text. Raises InvalidBody, with the place as the number of the character, from 1."""
    if len(text) > LONGEST:
        raise InvalidBody(f"must be at most {LONGEST} characters")
    reader = _Reader(text)
    value = reader.value(1)
    reader.skip()
    if reader.at < len(text):
        raise reader.error("must end here")
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self.at = 0

    def error(self, rule: str) -> InvalidBody:
        return InvalidBody(f"is not JSON: character {self.at + 1} {rule}")

    def skip(self) -> None:
        self.at = SPACE.match(self._text, self.at).end()  # type: ignore[union-attr]

    def value(self, depth: int) -> Any:
        self.skip()
        first = self._text[self.at:self.at + 1]
        if first in TEXTS:
            return self._string(first)
        if first in ("{", "["):
            if depth > MAX_DEPTH:
                raise InvalidBody(TOO_DEEP)
            return self._object(depth) if first == "{" else self._array(depth)
        if number := NUMBER.match(self._text, self.at):
            self.at = number.end()
            return parse(number[0])
        word = IDENTIFIER.match(self._text, self.at)
        if word is None or word[0] not in WORDS:
            raise self.error("must begin a value")
        self.at = word.end()
        return WORDS[word[0]]

    def _object(self, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}

        def member() -> None:
            key = self._key()
            if key in found:
                raise self.error(f"must not be after the key {key!r} once more")
            self._mark(":")
            found[key] = self.value(depth + 1)

        self._several("}", member)
        return found

    def _array(self, depth: int) -> list[Any]:
        found: list[Any] = []
        self._several("]", lambda: found.append(self.value(depth + 1)))
        return found

    def _several(self, end: str, item: Callable[[], None]) -> None:
        """Items with commas between them, and maybe one after the last."""
        self.at += 1
        while not self._has(end):
            item()
            if not self._has(","):
                self._mark(end)
                return

    def _has(self, mark: str) -> bool:
        self.skip()
        if not self._text.startswith(mark, self.at):
            return False
        self.at += 1
        return True

    def _mark(self, mark: str) -> None:
        if not self._has(mark):
            raise self.error(f"must be {mark}")

    def _key(self) -> str:
        self.skip()
        first = self._text[self.at:self.at + 1]
        if first in TEXTS:
            return self._string(first)
        bare = IDENTIFIER.match(self._text, self.at)
        if bare is None:
            raise self.error("must begin a key")
        self.at = bare.end()
        return bare[0]

    def _string(self, quote: str) -> str:
        match = TEXTS[quote].match(self._text, self.at)
        if match is None:
            raise self.error("begins a text that is not closed, or has what must be escaped")
        text = match[1]
        if "\\" in text:
            text = _unescaped(text)
        try:
            text.encode()
        except UnicodeEncodeError:
            raise self.error("begins a text with half a character") from None
        self.at = match.end()
        return text


def _unescaped(text: str) -> str:
    """Escapes as what they stand for; two that make one character together become it."""
    plain = ESCAPE.sub(lambda found: chr(int(found[2], 16)) if found[2] else ESCAPES.get(found[1], found[1]), text)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
