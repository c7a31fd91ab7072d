"""Policies for walks: the default one without its cheaper variants, for tests that are about something else."""

from datetime import datetime

import yaml

from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from tests.remembered import remembered


def lean(source: str) -> str:
    """The policy without its rule and its plan about cheaper variants."""
    document = yaml.safe_load(source)
    document["alternatives"] = None
    document["rules"] = [rule for rule in document["rules"] if rule["metric"] != "alternatives_measured"]
    return yaml.safe_dump(document, sort_keys=False)


FULL = defaults.text_of(defaults.POLICY)
LEAN = lean(FULL)


@remembered
def publish_checklist(*, now: datetime) -> ChecklistVersion:
    """The standard checklist, in force."""
    draft = rulebook.draft_checklist(source=defaults.text_of(defaults.CHECKLIST), by=None, now=now)
    return rulebook.publish(version=draft, by=None, now=now)


@remembered
def publish_policy(*, source: str, now: datetime) -> PolicyVersion:
    """A policy, in force."""
    return rulebook.publish(version=rulebook.draft_policy(source=source, by=None, now=now), by=None, now=now)
