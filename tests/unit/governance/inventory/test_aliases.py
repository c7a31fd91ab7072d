"""Models that their provider may change under the same name."""

import pytest

from governance.inventory.domain.aliases import aliases_of, managed_models
from tests.factories import kinds
from weighbridge.subjects.kinds import document_of, parse_subject

ALIAS = kinds.MANAGED | {"snapshot": "latest"}


@pytest.mark.parametrize(
    ("document", "models", "aliases"),
    [
        ({}, 0, ()),
        (kinds.MANIFEST, 0, ()),
        (kinds.MANAGED, 1, ()),
        (ALIAS, 1, ("openai/gpt-4o-mini latest",)),
        (kinds.PIPELINE, 1, ()),
        ({"kind": "deployment", "model": ALIAS, "settings": {}}, 1, ("openai/gpt-4o-mini latest",)),
        ({"kind": "pipeline", "parts": [{"role": "a", "subject": ALIAS}]}, 1, ("openai/gpt-4o-mini latest",)),
    ],
)
def test_what_a_stored_subject_calls(document, models, aliases):
    stored = document_of(parse_subject(document)) if document else {}
    assert len(managed_models(stored)) == models
    assert aliases_of(managed_models(stored)) == aliases
