"""Adds one rule to the text of allocation rules, and keeps it apart from the rules that are there."""

import textwrap
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import yaml

from governance.bills.domain.allocation.rules import ANY, FIELDS, TAG, FieldPattern, Rule, shared_row
from weighbridge.core.documents import API_VERSION
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.yaml_text import parse_yaml

INDENTS = ("  ", "", "    ")
EMPTY = f"apiVersion: {API_VERSION}\nkind: AllocationRules\nname: default\nrules:\n"
_KEYS = {field: key for key, field in FIELDS.items()}


def with_rule(source: str, rule: Rule) -> str:
    """The text with the rule at its end. Comments stay, unless the list of rules is not written as a block."""
    document = parse_yaml(source)
    wanted = {**document, "rules": [*(document.get("rules") or ()), rule_document(rule)]}
    added = _text_of([rule_document(rule)])
    for indent in INDENTS:
        text = f"{source.rstrip()}\n{textwrap.indent(added, indent)}"
        if _is_document(text, wanted):
            return text
    return _text_of(wanted)


def rule_document(rule: Rule) -> dict[str, Any]:
    """The rule as an entry of the document."""
    plain = {_KEYS[each.field]: list(each.patterns) for each in rule.conditions if not each.field.startswith(TAG)}
    tags = {each.field.removeprefix(TAG): list(each.patterns) for each in rule.conditions if each.field.startswith(TAG)}
    named = {"account": rule.account, "model": rule.model, "request": rule.request}
    match = plain | ({"tags": tags} if tags else {})
    return {"id": rule.id, "match": match} | {name: text for name, text in named.items() if text}


class RuleChange(NamedTuple):
    """A rule that is added (`before` None), removed (`after` None) or changed, as text."""

    path: str
    before: str | None
    after: str | None


def rule_changes(before: Iterable[Rule], after: Iterable[Rule]) -> tuple[RuleChange, ...]:
    """The rules that differ, by name."""
    old, new = ({rule.id: _words_of(rule) for rule in rules} for rules in (before, after))
    names = sorted(old.keys() | new.keys())
    return tuple(RuleChange(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


def overlapping(rule: Rule, others: Iterable[Rule]) -> Rule | None:
    """The first of the other rules that could match a line together with the rule."""
    return next((other for other in others if shared_row(rule, other) is not None), None)


def kept_apart(rule: Rule, others: Iterable[Rule], *, seen: Mapping[str, Collection[str]]) -> Rule:
    """The rule with further conditions, so that it matches the lines seen and, where possible, none of other rules.

    `seen` has the values of the lines for fields of other rules; a field with too many values is missing.
    """
    for other in others:
        if shared_row(rule, other) is not None:
            own = {each.field for each in rule.conditions}
            apart = (_apart(each, seen.get(each.field, ())) for each in other.conditions if each.field not in own)
            found = next((each for each in apart if each is not None), None)
            if found is not None:
                rule = replace(rule, conditions=(*rule.conditions, found))
    return rule


def _apart(condition: FieldPattern, values: Collection[str]) -> FieldPattern | None:
    """A condition that these values meet and that excludes the other one; None if there is none."""
    if not values or any(condition.holds(value) or not _can_be_named(value) for value in values):
        return None
    if "" in values:
        return FieldPattern(condition.field, ()) if len(values) == 1 else None
    return FieldPattern(condition.field, tuple(sorted(values)))


def _can_be_named(value: str) -> bool:
    """Whether a rule can name exactly this value."""
    return not value or bool(value.strip() and not value.endswith(ANY))


def _words_of(rule: Rule) -> str:
    """What a rule says besides its name, in one line."""
    said = {key: value for key, value in rule_document(rule).items() if key != "id"}
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True, default_flow_style=True, width=1_000_000)
    return text.strip().removeprefix("{").removesuffix("}")


def _text_of(document: object) -> str:
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1_000)
    if _is_document(text, document):
        return text
    return yaml.safe_dump(document, sort_keys=False, width=1_000)  # rare line ends do not survive as they are


def _is_document(text: str, wanted: object) -> bool:
    try:
        return bool(parse_yaml(text) == wanted)
    except Refused:
        return False
