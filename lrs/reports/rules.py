"""The mastery rules of a tenant: as operators write them, and which one holds for an activity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from lrs.reports.facts import shown
from lrs.reports.mastery import LATEST_ANSWERS, THOUSANDTHS, AnswersRule, Rule, ScoreRule, SuccessRule
from lrs.xapi.shapes import Fault
from lrs.xapi.values import check_iri

MOST_RULES = 1_000
# Of which type a rule is, and what else it must say.
PARTS: Mapping[str, tuple[str, ...]] = {"score": ("at_least",), "success": (), "m_of_n": ("m", "n")}
TARGETS = ("activity", "activity_type", "default")


def _an_iri(given: str) -> None:
    try:
        check_iri(given)
    except Fault as fault:
        raise ValidationError(fault.rule) from None


def _three_decimals(given: float) -> None:
    if given * THOUSANDTHS != round(given * THOUSANDTHS) and repr(given) != repr(round(given, 3)):
        raise ValidationError("must have no more than three decimals")


class RuleSchema(Schema):
    """When an activity is mastered: a scaled score of `at_least`, a success, or `m` of the last `n` questions answered rightly."""

    type = fields.String(required=True, validate=validate.OneOf(tuple(PARTS)))
    at_least = fields.Float(validate=[validate.Range(min=0, max=1), _three_decimals])
    m = fields.Integer(strict=True, validate=validate.Range(min=1, max=LATEST_ANSWERS))
    n = fields.Integer(strict=True, validate=validate.Range(min=1, max=LATEST_ANSWERS))

    @validates_schema
    def check_parts(self, rule: Mapping[str, Any], **_options: Any) -> None:
        """Each type has its own parts."""
        own = PARTS[rule["type"]]
        wrong = {name: ["is required"] for name in own if name not in rule}
        wrong |= {name: [f"does not belong to the type {rule['type']}"] for name in rule if name not in ("type", *own)}
        if not wrong and rule.get("m", 0) > rule.get("n", 0):
            wrong = {"m": ["must not be more than n"]}
        if wrong:
            raise ValidationError(wrong)


class MasteryRuleSchema(Schema):
    """For what a rule holds: one activity, all activities of a type, or (`default`) those that no other rule is for."""

    activity = fields.String(validate=_an_iri)
    activity_type = fields.String(validate=_an_iri)
    default = fields.Boolean(truthy={True}, falsy=set(), metadata={"enum": [True]})
    rule = fields.Nested(RuleSchema, required=True)

    @validates_schema
    def check_target(self, entry: Mapping[str, Any], **_options: Any) -> None:
        """Exactly one of the three."""
        if sum(name in entry for name in TARGETS) != 1:
            raise ValidationError(f"must have exactly one of {', '.join(TARGETS)}")


class MasteryRulesSchema(Schema):
    """All rules of a tenant."""

    rules = fields.List(fields.Nested(MasteryRuleSchema), load_default=list, validate=validate.Length(max=MOST_RULES))

    @validates_schema
    def check_once(self, rules: Mapping[str, Any], **_options: Any) -> None:
        """No two rules for the same."""
        seen: set[tuple[str, str]] = set()
        for index, entry in enumerate(rules["rules"]):
            target = _target(entry)
            if target in seen:
                raise ValidationError({"rules": {index: ["there is another rule for this"]}})
            seen.add(target)


@dataclass(frozen=True)
class MasteryRules:
    """Which rule holds for what. Without any, mastery is success."""

    by_activity: Mapping[str, Rule] = field(default_factory=dict)
    by_type: Mapping[str, Rule] = field(default_factory=dict)
    default: Rule = SuccessRule()

    def rule_for(self, activity: str, activity_type: str | None) -> Rule:
        """The rule of the activity, else of its type, else the default."""
        rule = self.by_activity.get(activity)
        if rule is None and activity_type is not None:
            rule = self.by_type.get(activity_type)
        return rule or self.default


def rules_of(entries: Sequence[Mapping[str, Any]]) -> MasteryRules:
    """Loaded rules, ready to be looked up."""
    found: dict[str, dict[str, Rule]] = {name: {} for name in TARGETS}
    for entry in entries:
        name, value = _target(entry)
        found[name][value] = _rule(entry["rule"])
    return MasteryRules(found["activity"], found["activity_type"], found["default"].get("", SuccessRule()))


def told(rule: Rule) -> dict[str, Any]:
    """A rule as operators write it."""
    match rule:
        case ScoreRule(at_least):
            return {"type": "score", "at_least": at_least / THOUSANDTHS}
        case AnswersRule(m, n):
            return {"type": "m_of_n", "m": m, "n": n}
        case _:
            return {"type": "success"}


def _target(entry: Mapping[str, Any]) -> tuple[str, str]:
    name = next(name for name in TARGETS if name in entry)
    return name, "" if name == "default" else shown(entry[name])


def _rule(rule: Mapping[str, Any]) -> Rule:
    match rule["type"]:
        case "score":
            return ScoreRule(round(rule["at_least"] * THOUSANDTHS))
        case "m_of_n":
            return AnswersRule(rule["m"], rule["n"])
        case _:
            return SuccessRule()
