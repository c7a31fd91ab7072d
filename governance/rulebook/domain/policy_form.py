"""The rules of a policy as a form takes and gives them: one mapping of plain texts per rule, and back into
a document.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from weighbridge.core.catalog import CATALOG
from weighbridge.core.metrics import Basis, stronger_or_equal

DEFAULTS = {"statistic": "value", "min_n": "", "level": "hard", "on_indeterminate": ""}
SCOPE = ("teams", "tiers", "environments")
PLAIN = ("id", "metric", "comparator", "limit", "effect", "message", *DEFAULTS)
_PLACE = re.compile(r"rules\[(\d+)\](?:\.([a-z_]+))?")


def rows_of(document: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each rule of a document as a form shows it; `accept` is the weakest basis that counts."""
    return [_row(rule) for rule in document["rules"]]


def _row(rule: Mapping[str, Any]) -> dict[str, str]:
    scope = rule.get("scope") or {}
    row = {name: str(rule.get(name, DEFAULTS.get(name, ""))) for name in PLAIN}
    row |= {name: ", ".join(scope.get(name) or ()) for name in SCOPE}
    return row | {"accept": min((Basis(each) for each in rule["accept"]), key=lambda basis: basis.rank).value}


def document_with(document: Mapping[str, Any], *, rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The document with its rules replaced by those of a form; everything else stays as it is.

    The unit is that of the metric, and the bases that count are the one named and every stronger one.
    """
    return {**document, "rules": [_rule(row) for row in rows]}


def _rule(row: Mapping[str, str]) -> dict[str, Any]:
    rule: dict[str, Any] = {name: text for name in PLAIN if (text := row[name].strip())}
    rule["unit"] = CATALOG[row["metric"]].unit
    rule["accept"] = [basis.value for basis in stronger_or_equal(Basis(row["accept"]))]
    for name in ("limit", "min_n"):
        if rule.get(name, "").isdecimal():
            rule[name] = int(rule[name])
    scope = {
        name: words for name in SCOPE if (words := [each.strip() for each in row[name].split(",") if each.strip()])
    }
    return rule | ({"scope": scope} if scope else {})


def place_of(field: str | None) -> tuple[int, str] | None:
    """Which rule of the form a fault is about, from 0, and which of its fields ("" for the rule as a whole)."""
    found = _PLACE.match(field or "")
    return (int(found[1]), found[2] or "") if found else None
