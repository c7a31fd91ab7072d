"""Allocation rules as YAML, and a published version of them."""

from collections.abc import Mapping
from datetime import datetime

from governance.bills.actions import allocation
from governance.bills.domain.allocation.rules import TAG, Rule
from governance.bills.models import AllocationVersion
from tests.factories.changes import publish
from tests.factories.people import Cast

RULES = """\
apiVersion: weighbridge/v1
kind: AllocationRules
name: default
rules:
  - id: visual-search
    match: {tags: {model: [visual-search, vs-*]}}
    account: search
    model: search/visual-search
  - id: shared-gpus
    match: {subaccounts: [shared*], tags: {model: []}}
    account: ads
"""


def publish_rules(*, cast: Cast, now: datetime, source: str = RULES) -> AllocationVersion:
    """Drafted by finance, published by an administrator; the author's model must be registered."""
    draft = allocation.draft(source=source, by=cast.finance, now=now)
    return publish(version=draft, cast=cast, now=now)


def takes(rule: Rule, line: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """Whether a line with these fields and tags meets all conditions of the rule."""
    values = dict(line) | {f"{TAG}{name}": value for name, value in tags.items()}
    return all(condition.holds(values.get(condition.field, "")) for condition in rule.conditions)
