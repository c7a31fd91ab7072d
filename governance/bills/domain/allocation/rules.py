"""Allocation rules: which bill lines belong to which model and to the budget of which team.

A rule is a conjunction of conditions. No line may match two rules, so the order of rules does not matter and no cost is
counted twice. Overlaps are found from the rules alone, before any bill is read. Lines with tokens of a language model
can be matched by the model and snapshot as billed, by their meter, or by the digest of what the provider offers.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from weighbridge.core.documents import API_VERSION, Reader, check_unique
from weighbridge.core.errors import Invalid

KIND = "AllocationRules"
FIELDS = {
    "providers": "provider",
    "services": "service",
    "subaccounts": "subaccount",
    "resources": "resource",
    "skus": "sku",
    "regions": "region",
    "meters": "meter",
    "models": "model",
    "snapshots": "snapshot",
    "subjects": "subject",
}
TAG = "tags."
ANY = "*"
RULES_MAX = 500
REQUEST_REF = re.compile(r"\AMRR-[0-9]{4}-[0-9]{4,8}\Z", re.ASCII)


@dataclass(frozen=True)
class FieldPattern:
    """The condition on a column of a line, or on `tags.NAME`: it matches one of the patterns, or is empty without any.

    A pattern is a complete value, or a prefix followed by `*`; `*` alone matches any non-empty value.
    """

    field: str
    patterns: tuple[str, ...]

    def holds(self, value: str) -> bool:
        """Whether the value (empty if the line has none) matches."""
        if not self.patterns or not value:
            return not self.patterns and not value
        return any(_fits(pattern, value) for pattern in self.patterns)


@dataclass(frozen=True)
class Rule:
    """Allocates lines that meet all conditions to the budget of the team `account` (a slug) and, if set, to `model`
    (team/slug). With `request` (like MRR-2026-0001), their cost draws on the commitment of that request.
    """

    id: str
    conditions: tuple[FieldPattern, ...]
    account: str
    model: str = ""
    request: str = ""


@dataclass(frozen=True)
class RuleSet:
    """A version of the rules, without overlaps."""

    name: str
    rules: tuple[Rule, ...]


def read_rules(document: object) -> RuleSet:
    """Read the rules of a parsed document. Raises Invalid with the path of the error, or for two rules that overlap."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", KIND)
    name, rules = reader.text("name"), reader.items("rules", _rule)
    reader.close()
    if len(rules) > RULES_MAX:
        raise Invalid(f"rules contains {len(rules)} rules; at most {RULES_MAX} are allowed.", field="rules")
    check_unique(tuple(rule.id for rule in rules), path="rules")
    check_disjoint(rules)
    return RuleSet(name, rules)


def check_disjoint(rules: Sequence[Rule]) -> None:
    """Raise Invalid for the first two rules that overlap, with an example of a common line and a solution."""
    for (_, one), (place, other) in combinations(enumerate(rules), 2):
        row = shared_row(one, other)
        if row is not None:
            shown = ", ".join(f"{field} {value!r}" if value else f"no {field}" for field, value in sorted(row.items()))
            raise Invalid(
                f"The rules {one.id!r} and {other.id!r} overlap: a row with {shown} matches both. Give one of them a "
                "condition that excludes the other. An empty list means that the row has no such value.",
                field=f"rules[{place}].match",
                code="overlap",
            )


def shared_row(one: Rule, other: Rule) -> dict[str, str] | None:
    """The fields of a line that both rules match, or None if there is no such line."""
    wanted: dict[str, list[FieldPattern]] = {}
    for condition in (*one.conditions, *other.conditions):
        wanted.setdefault(condition.field, []).append(condition)
    row: dict[str, str] = {}
    for field, conditions in wanted.items():
        value = _shared_value(conditions)
        if value is None:
            return None
        row[field] = value
    return row


def _shared_value(conditions: Sequence[FieldPattern]) -> str | None:
    """A value that all conditions allow. Of overlapping prefixes, the longest matches all of them."""
    patterns = [pattern for condition in conditions for pattern in condition.patterns]
    candidates = ["", *("x" if pattern == ANY else pattern.removesuffix(ANY) for pattern in patterns)]
    return next((value for value in candidates if all(condition.holds(value) for condition in conditions)), None)


def _fits(pattern: str, value: str) -> bool:
    return value.startswith(pattern[:-1]) if pattern.endswith(ANY) else value == pattern


def _rule(reader: Reader) -> Rule:
    rule = Rule(
        id=reader.text("id"),
        conditions=_conditions(reader.mapping("match"), reader),
        account=reader.text("account"),
        model=reader.text("model", ""),
        request=reader.text("request", ""),
    )
    if rule.model and rule.model.count("/") != 1:
        raise reader.fault("model", "must be written team/model.")
    if rule.request and not REQUEST_REF.match(rule.request):
        raise reader.fault("request", "must be written like MRR-2026-0001.")
    return rule


def _conditions(match: Reader, rule: Reader) -> tuple[FieldPattern, ...]:
    patterns = [FieldPattern(field, match.words(key)) for key, field in FIELDS.items() if match.has(key)]
    tags = match.mapping("tags")
    patterns += [FieldPattern(f"{TAG}{name}", tags.words(name)) for name in tags.names]
    match.close()
    if not patterns:
        raise rule.fault("match", f"must name at least one of {', '.join((*FIELDS, 'tags'))}.")
    return tuple(patterns)
