"""Alternatives in a document of others: verdicts that follow from the numbers, and the count of those measured."""

import copy

import pytest

from tests.unit.toolkit.optimization.language.builders import SMALL, compared, write_answers, write_prompts
from weighbridge.core.errors import Invalid
from weighbridge.optimization.language.checked import checked_alternatives


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plan")
    write_prompts(folder, 200)
    for name in ("large", "small"):
        write_answers(folder, name, [place % 10 != 0 for place in range(200)])
    return compared(folder, SMALL, {"name": "batch", "kind": "batch_tier"})


def test_a_document_is_read_with_its_alternatives(document):
    found = checked_alternatives(document, count=1)
    assert [each.kind for each in found.candidates] == [None, "smaller_model", "batch_tier"]


def change(*path, value):
    def changed(document):
        place = document
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return changed


CHANGED = {
    "another verdict": (
        change("candidates", 1, "verdict", "answer", value="no_gain"),
        "verdict on small does not follow",
    ),
    "a better saving": (change("candidates", 1, "cost_saving", value=None), "verdict on small does not follow"),
    "no loss": (change("candidates", 1, "quality_drop", value=None), "verdict on small does not follow"),
    "a shared one that counts": (change("candidates", 2, "verdict", "reasons", value=[]), "has 2 measured"),
    "one that is no evidence": (change("candidates", 1, "measurement", "status", value="invalid"), "has 0 measured"),
    "one without a measurement": (change("candidates", 1, "measurement", value=None), "has 0 measured"),
    "a variant of a file": (change("candidates", 1, "kind", value=None), "each with its kind"),
    "an unknown kind": (change("candidates", 1, "kind", value="magic"), "must be one of smaller_model"),
    "no alternative": (lambda document: document.update(candidates=document["candidates"][:1]), "1 to 12 alternatives"),
    "another schema": (change("schema", value="weighbridge.answers/1"), "must be weighbridge.candidates/1"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_document_that_contradicts_itself_is_refused(document, name):
    changed, words = CHANGED[name]
    other = copy.deepcopy(document)
    changed(other)
    with pytest.raises(Invalid, match=words):
        checked_alternatives(other, count=1)


def test_the_count_must_be_that_of_the_document(document):
    with pytest.raises(Invalid, match="has 1 measured alternatives, and states 2"):
        checked_alternatives(document, count=2)
