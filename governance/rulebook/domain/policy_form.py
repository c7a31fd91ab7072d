"""Converts the rules of a policy to form data (one mapping of texts for each rule) and back.

A form has rules with one limit. Rules that combine limits, or compare with a reference, stay as they are.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.core.metrics.basis import Basis, stronger_or_equal
from weighbridge.core.metrics.catalog import MetricCatalog

DEFAULTS = {"statistic": "value", "min_n": "", "level": "hard", "on_indeterminate": ""}
SCOPE = ("kinds", "formats", "tasks", "teams", "tiers", "environments")
PLAIN = ("id", "metric", "comparator", "limit", "effect", "message", *DEFAULTS)
_PLACE = re.compile(r"rules\[(\d+)\](?:\.([a-z_]+))?")


def rows_of(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """The form data for each rule of a document that a form can hold; `accept` is the weakest accepted basis."""
    return [_row(rule) for rule in document["rules"] if _fits(rule)]


def kept_rules(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rules that a form cannot hold."""
    return [rule for rule in document["rules"] if not _fits(rule)]


def _fits(rule: Mapping[str, Any]) -> bool:
    return set(rule) <= {*PLAIN, "unit", "accept", "scope"}


def _row(rule: Mapping[str, Any]) -> dict[str, str]:
    scope = rule.get("scope") or {}
    row = {name: str(rule.get(name, DEFAULTS.get(name, ""))) for name in PLAIN}
    row |= {name: ", ".join(scope.get(name) or ()) for name in SCOPE}
    return row | {"accept": min((Basis(each) for each in rule["accept"]), key=lambda basis: basis.rank).value}


def document_with(
    document: Mapping[str, Any], *, rows: Sequence[Mapping[str, str]], catalog: MetricCatalog
) -> dict[str, Any]:
    """The document with the rules of a form, before those that a form cannot hold.

    Units come from the metrics, accepted bases include all stronger ones.
    """
    return {**document, "rules": [*(_rule(row, catalog) for row in rows), *kept_rules(document)]}


def _rule(row: Mapping[str, str], catalog: MetricCatalog) -> dict[str, Any]:
    rule: dict[str, Any] = {name: text for name in PLAIN if (text := row[name].strip())}
    # An unknown metric is refused when the draft is checked, with its place in the form.
    rule["unit"] = catalog[row["metric"]].unit if row["metric"] in catalog else "unknown"
    rule["accept"] = [basis.value for basis in stronger_or_equal(Basis(row["accept"]))]
    for name in ("limit", "min_n"):
        if rule.get(name, "").isdecimal():
            rule[name] = int(rule[name])
    scope = {
        name: words for name in SCOPE if (words := [each.strip() for each in row[name].split(",") if each.strip()])
    }
    return rule | ({"scope": scope} if scope else {})


def place_of(field: str | None) -> tuple[int, str] | None:
    """The rule of the form that an error is about, counted from 0, and its field ("" for the whole rule)."""
    match = _PLACE.match(field or "")
    return (int(match[1]), match[2] or "") if match else None
