"""Checkers of single values: texts, numbers, IRIs, UUIDs, language tags, times. xAPI 1.0.3, Data 4."""

import re
from functools import lru_cache
from typing import Any

from lrs.errors import InvalidValue
from lrs.xapi.json_text import Verbatim
from lrs.xapi.shapes import Check, Fault, map_of, wrong_type
from lrs.xapi.times import DURATION_RULE, RFC3339, duration_pattern, parse_timestamp

NUMBERS = (int, float)
# Texts shorter than this are remembered once they were found right or wrong.
USUAL_LENGTH = 200
# A scheme, then only what RFC 3987 lets stand in an IRI: no white space, controls or <>"{}|\^`, and % only before two
# hex digits.
IRI_CHARACTERS = r"[^\x00-\x20<>\"{}|\\^`%\x7f-\xa0\u2028\u2029\ufff0-\uffff]"
IRI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:(?:{IRI_CHARACTERS}++|%[0-9A-Fa-f]{{2}})++")
IRI_RULE = "must be an IRI with a scheme, such as https://example.org/x"
# Standard form, variant 2 of RFC 4122 not insisted on: xAPI 1.0.3, Data 4.4 only recommends it.
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
UUID_RULE = "must be a UUID such as 12345678-1234-5678-1234-567812345678"
# Well-formed language tags. RFC 5646, 2.1; of the grandfathered ones, those that no other rule takes.
LANGUAGE = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})"
    r"(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"
    r"(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*(?:-[Xx](?:-[A-Za-z0-9]{1,8})+)?"
    r"|[Xx](?:-[A-Za-z0-9]{1,8})+"
    r"|(?i:i-(?:ami|bnn|default|enochian|hak|klingon|lux|mingo|navajo|pwn|tao|tay|tsu))"
    r"|(?i:en-gb-oed|sgn-be-(?:fr|nl)|sgn-ch-de)"
)
LANGUAGE_RULE = "must be a language tag such as en-US"
# One "@", something on both sides, no white space; finer rules of addresses refuse real ones.
MAILTO = re.compile(r"mailto:[^\s@<>\"]+@[^\s@<>\"]+")
SHA1 = re.compile(r"[0-9a-fA-F]{40}")
# SHA-2 comes in 224, 256, 384 and 512 bits.
SHA2 = re.compile(r"(?:[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128})")
MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:\s*;[^\x00-\x08\x0a-\x1f]*)?", re.ASCII)


def check_text(value: Any) -> None:
    """Any text."""
    if not isinstance(value, str):
        raise Fault(wrong_type(value, "a string"))


def check_boolean(value: Any) -> None:
    """true or false, not a text that says so."""
    if value is not True and value is not False:
        raise Fault(wrong_type(value, "true or false"))


def check_number(value: Any) -> None:
    """A number; true and false are none."""
    if not isinstance(value, NUMBERS) or value is True or value is False:
        raise Fault(wrong_type(value, "a number"))


def check_length(value: Any) -> None:
    """A number of octets. 12.0 is the same JSON number as 12."""
    check_number(value)
    if isinstance(value, Verbatim) or value < 0 or value % 1:
        raise Fault("must be an integer, 0 or more")


def check_iri(value: Any) -> None:
    """An absolute IRI."""
    if not isinstance(value, str):
        raise Fault(wrong_type(value, "a string"))
    if not (_is_known_iri(value) if len(value) < USUAL_LENGTH else IRI.fullmatch(value)):
        raise Fault(IRI_RULE)


# Verbs, activities, extensions and languages come again and again, and to know a text costs a quarter of reading it.
@lru_cache(maxsize=16_384)
def _is_known_iri(text: str) -> bool:
    return IRI.fullmatch(text) is not None


@lru_cache(maxsize=256)
def _is_known_language(text: str) -> bool:
    return LANGUAGE.fullmatch(text) is not None


def check_uuid(value: Any) -> None:
    """A UUID in the standard form, in either case."""
    if not isinstance(value, str) or UUID.fullmatch(value) is None:
        raise Fault(UUID_RULE)


def check_language(value: Any) -> None:
    """A well-formed language tag."""
    if not isinstance(value, str) or not (_is_known_language(value) if len(value) < USUAL_LENGTH else LANGUAGE.fullmatch(value)):
        raise Fault(LANGUAGE_RULE)


def check_mbox(value: Any) -> None:
    """A mailto IRI."""
    if not isinstance(value, str) or MAILTO.fullmatch(value) is None:
        raise Fault("must be mailto: and an e-mail address")


def check_sha1(value: Any) -> None:
    """A SHA-1 hash in hexadecimal."""
    if not isinstance(value, str) or SHA1.fullmatch(value) is None:
        raise Fault("must be a SHA-1 hash, 40 hexadecimal digits")


def check_sha2(value: Any) -> None:
    """A SHA-2 hash in hexadecimal."""
    if not isinstance(value, str) or SHA2.fullmatch(value) is None:
        raise Fault("must be a SHA-2 hash, 56, 64, 96 or 128 hexadecimal digits")


def check_media_type(value: Any) -> None:
    """An Internet media type, with or without parameters. RFC 2046."""
    if not isinstance(value, str) or MEDIA_TYPE.fullmatch(value) is None:
        raise Fault("must be a media type such as text/plain")


def check_duration(value: Any) -> None:
    """An ISO 8601 duration in the format with designators."""
    if not isinstance(value, str) or duration_pattern().fullmatch(value) is None:
        raise Fault(DURATION_RULE)


def timestamp_of(version: str) -> Check:
    """Timestamps as this version takes them."""

    def check(value: Any) -> None:
        if not isinstance(value, str):
            raise Fault(wrong_type(value, "a string"))
        match = RFC3339.fullmatch(value)
        # Days up to 28 are in every month; most timestamps end here. The rest needs a calendar.
        if match is not None and match[3] < "29" and match[6] != "60" and match[1] > "0000":
            return
        try:
            parse_timestamp(value, version)
        except InvalidValue as error:
            raise Fault(error.rule) from None

    return check


# Keys are language tags and values are texts. xAPI 1.0.3, Data 4.2.
check_language_map = map_of(check_language, check_text)
# Keys are IRIs; the values are nobody's business but their owner's. xAPI 1.0.3, Data 4.1.
check_extensions = map_of(check_iri, None)
