"""Policies for walks: the default one without its cheaper variants, for tests that are about something else."""

import yaml

from governance.domain import defaults


def _lean() -> str:
    document = yaml.safe_load(defaults.text_of(defaults.POLICY))
    document["alternatives"] = None
    document["rules"] = [rule for rule in document["rules"] if rule["fact"] != "alternatives_measured"]
    return yaml.safe_dump(document, sort_keys=False)


FULL = defaults.text_of(defaults.POLICY)
LEAN = _lean()
