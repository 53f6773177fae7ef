"""What an event says of how it went: score, success, response, duration, progress. Pure."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from adapters.studyfetch.values import Number, compact, number_of, number_text
from adapters.studyfetch.vocabulary import PROGRESS
from lrs.xapi.types import Result, Score
from lrs.xapi.vocabulary import CMI5_PROGRESS

# The only events whose `passed`, or `correct`, says that the object was done well.
SUCCESS_KEYS = {"test_completed": "passed", "test_question_answered": "correct"}


def result_of(base: str, event_type: str, metadata: Mapping[str, Any]) -> Result:
    """The result, without what is not told; empty if nothing is. Whether it is progress alone is for the verb to say."""
    result: Result = {}
    if score := score_of(metadata):
        result["score"] = score
    success = metadata.get(SUCCESS_KEYS.get(event_type, ""))
    if isinstance(success, bool):
        result["success"] = success
    if event_type == "test_completed":
        result["completion"] = True
    if (answer := metadata.get("answer")) is not None:
        result["response"] = answer if isinstance(answer, str) else compact(answer)
    if (duration := duration_of(metadata.get("durationSeconds"))) is not None:
        result["duration"] = duration
    if (progress := progress_of(metadata.get("progress"))) is not None:
        result["extensions"] = {base + PROGRESS: progress}
    return result


def with_cmi5_progress(result: Result, base: str) -> Result:
    """The result of progress made: cmi5's extension beside our own, cut to the whole percents that it is defined for."""
    extensions = result.get("extensions", {})
    if base + PROGRESS not in extensions:
        return result
    return {**result, "extensions": {**extensions, CMI5_PROGRESS: math.floor(extensions[base + PROGRESS])}}


def score_of(metadata: Mapping[str, Any]) -> Score:
    """The score: of points, else of right answers, else of percents, else points on an unknown scale; empty without any.

    `scaled` is the part of the way from the least to the most that is possible.
    """
    points, most = number_of(metadata.get("score")), number_of(metadata.get("maxScore"))
    if points is not None and most is not None:
        least = number_of(metadata.get("minScore"))
        return _on_scale(points, 0 if least is None else least, most)
    right, asked = number_of(metadata.get("correctCount")), number_of(metadata.get("questionCount"))
    if right is not None and asked is not None:
        return _on_scale(right, 0, asked)
    percents = number_of(metadata.get("percentage"))
    if percents is not None:
        return _on_scale(percents, 0, 100)
    # 1 could be 1 % or 100 %.
    return {} if points is None else {"raw": points}


def _on_scale(raw: Number, least: Number, most: Number) -> Score:
    """Where `raw` is not between the ends, or there is nothing between them, the scale is wrong and left out."""
    if not least <= raw <= most or most <= least:
        return {"raw": raw}
    # In decimals, as people count: 33.3 of 100 is 0.333.
    points, start, end = (Decimal(number_text(each)) for each in (raw, least, most))
    return {"raw": raw, "min": least, "max": most, "scaled": float((points - start) / (end - start)) + 0.0}


def duration_of(value: Any) -> str | None:
    """Seconds as an ISO 8601 duration, to a hundredth: 12.5 -> "PT12.5S". None for what is no number, or below 0."""
    seconds = number_of(value)
    if seconds is None or seconds < 0:
        return None
    text = f"{abs(seconds):.2f}".rstrip("0").rstrip(".")
    return f"PT{text}S"


def progress_of(value: Any) -> Number | None:
    """Percents, kept within 0 to 100; None for what is no number."""
    percents = number_of(value)
    if percents is None:
        return None
    return percents if 0 < percents < 100 else 0 if percents <= 0 else 100
