"""Policies for walks: the default one without its cheaper variants, for tests that are about something else."""

import yaml

from governance.rulebook.domain import defaults


def lean(source: str) -> str:
    """The policy without its rule and its plan about cheaper variants."""
    document = yaml.safe_load(source)
    document["alternatives"] = None
    document["rules"] = [rule for rule in document["rules"] if rule["metric"] != "alternatives_measured"]
    return yaml.safe_dump(document, sort_keys=False)


FULL = defaults.text_of(defaults.POLICY)
LEAN = lean(FULL)
