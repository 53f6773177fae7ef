"""Kinds of activities: the many labels of one kind, and its activity type in xAPI. Pure."""

from collections.abc import Mapping

from adapters.pathway.spelling import folded, in_iri
from lrs.xapi import vocabulary

# As labels are after `plain`: how they are called on the wire, in the interface and in the documentation.
ALIASES: Mapping[str, str] = {
    alias: canonical for canonical, aliases in {
        "data": ("datatarget", "datatracking", "datacheckpoint"),
        "podcast": ("podcastepisode",),
        "enrolment": ("connectpathway", "enrollment", "pathway"),
        "physical": ("physicalactivity",),
        "stream": ("streamsnippet",),
        "youtube": ("youtubevideo",),
        "web": ("webactivity",),
    }.items() for alias in aliases
}

TYPE_IRIS: Mapping[str, str] = {
    "story": vocabulary.LESSON, "assessment": vocabulary.ASSESSMENT, "survey": vocabulary.SURVEY,
    "certificate": vocabulary.CERTIFICATE, "article": vocabulary.ARTICLE,
    "audio": vocabulary.AUDIO, "podcast": vocabulary.AUDIO,
    "video": vocabulary.VIDEO, "youtube": vocabulary.VIDEO, "stream": vocabulary.VIDEO,
    "classroom": vocabulary.MEETING, "event": vocabulary.EVENT, "reward": vocabulary.REWARD,
    "physical": vocabulary.PERFORMANCE, "web": vocabulary.WEBPAGE, "enrolment": vocabulary.LEARNING_PLAN,
    "milestone": vocabulary.OBJECTIVE,
}
MINTED = "/activity-types/pathway-"
# What another system's activity type tells; of several kinds with one type, the first.
KINDS: Mapping[str, str] = {iri: kind for kind, iri in reversed(list(TYPE_IRIS.items()))}


def canonical(label: str) -> str:
    """The kind that a label names: "Data Target" -> "data", "Stories" -> "story". An unknown label is a kind of its own."""
    name = plain(label)
    return ALIASES.get(name, name)


def plain(label: str) -> str:
    """A label without case, number and punctuation: "Upload & Reviews" -> "uploadandreview"."""
    name = "".join(letter for letter in folded(label).replace("&", "and") if letter.isalnum())
    if name.endswith("ies"):
        return f"{name[:-3]}y"
    return name.removesuffix("s")


def type_iri(base: str, label: str) -> str | None:
    """The activity type for a label; minted below `base` where no public one fits, None without a label."""
    kind = canonical(label)
    return TYPE_IRIS.get(kind) or (f"{base}{MINTED}{in_iri(kind)}" if kind else None)


def kind_of(iri: str) -> str:
    """The kind an activity type stands for; "" if it is none of these."""
    return KINDS.get(iri) or iri.partition(MINTED)[2]
