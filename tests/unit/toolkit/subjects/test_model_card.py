"""Model cards: metadata that model hubs read, tables that hold text alone, and the lineage that comes back."""

from datetime import UTC, datetime

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.governance.rulebook.builders import metric_value
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.subjects.documents.bom import BomModel
from weighbridge.subjects.documents.lineage_files import read_lineage
from weighbridge.subjects.documents.model_card import Permission, card_text, lineage_of_card
from weighbridge.subjects.lineage import Ancestor, Relation

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
A = "sha256:" + "a" * 64
BASE = Ancestor(Relation.FINE_TUNED_FROM, name="org/llama", version="3.1", license="Apache-2.0")
DATA = Ancestor(Relation.TRAINED_ON, digest="sha256:" + "d" * 64)


def card(lineage=(BASE, DATA), values=(), permissions=(), name="search/ranker"):
    model = BomModel(name=name, version="1.0", digest=A, task="ranking", lineage=tuple(lineage))
    return card_text(model, values=values, catalog=STANDARD, permissions=permissions, at=AT)


def metadata(text):
    return yaml.safe_load(text.split("---\n")[1])


def test_the_metadata_are_those_of_model_hubs():
    assert metadata(card()) == {
        "base_model": ["org/llama@3.1"],
        "base_model_relation": "finetune",
        "datasets": [DATA.digest],
        "weighbridge": {
            "digest": A,
            "task": "ranking",
            "lineage": [
                {"relation": "fine_tuned_from", "name": "org/llama", "version": "3.1", "license": "Apache-2.0"},
                {"relation": "trained_on", "digest": DATA.digest},
            ],
        },
    }
    assert set(metadata(card(lineage=()))) == {"weighbridge"}
    two = (BASE, Ancestor(Relation.QUANTIZED_FROM, digest=A))
    assert "base_model_relation" not in metadata(card(lineage=two)), "one word holds for all or for none"


def test_values_have_their_basis_and_permissions_their_end():
    measured = metric_value(
        "latency_p95_ms", "41.5", unit="ms", basis=Basis.MEASURED, lower="40", upper="43", n=3000, source="run 7"
    )
    text = card(
        values=[measured], permissions=[Permission("prod", "authorized", AT), Permission("dev", "denied", None)]
    )
    assert "| Latency p95 | 41.5 (40 to 43) | ms | measured | 3,000 | run 7 | 2026-10-01 |" in text
    assert "- prod: authorized, until 2026-11-28\n- dev: denied\n" in text
    assert "- fine tuned from: org/llama@3.1 (Apache-2.0)\n" in text


def test_nothing_is_said_where_nothing_is_known():
    text = card(lineage=())
    for words in ("Nothing is stated.", "No metric value is on record.", "No request is on record."):
        assert words in text


@given(text=st.text(min_size=1, max_size=60))
def test_words_of_people_stay_one_cell_of_text(text):
    value = metric_value("accuracy", "0.9", unit="ratio", source=text)
    (row,) = (line for line in card(values=[value]).splitlines() if line.startswith("| Accuracy"))
    bare = row.replace("\\\\", "").replace("\\|", "")
    assert bare.count("|") == 8
    assert "<" not in row.replace("\\<", "")


def test_a_card_of_ours_names_its_lineage():
    assert lineage_of_card(card()) == (BASE, DATA)
    assert read_lineage(card().encode(), name="README.md") == (BASE, DATA)
    assert read_lineage(b"\xef\xbb\xbf" + card().replace("\n", "\r\n").encode(), name="README.md") == (BASE, DATA)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("base_model: org/llama", [Ancestor(Relation.BASE_MODEL, name="org/llama", version="unknown")]),
        (
            "base_model: [a/b@2, c/d]\nbase_model_relation: quantized\ndatasets:\n- squad",
            [
                Ancestor(Relation.QUANTIZED_FROM, name="a/b", version="2"),
                Ancestor(Relation.QUANTIZED_FROM, name="c/d", version="unknown"),
                Ancestor(Relation.TRAINED_ON, name="squad", version="unknown"),
            ],
        ),
        (f"base_model: {A}\nbase_model_relation: adapter", [Ancestor(Relation.FINE_TUNED_FROM, digest=A)]),
        ("license: mit\ntags: [x]", []),
        ("base_model:", []),
    ],
)
def test_cards_of_model_hubs_name_theirs(block, expected):
    assert lineage_of_card(f"---\n{block}\n---\n# A model\n") == tuple(expected)


def test_a_card_may_be_metadata_alone_or_have_none():
    (base,) = lineage_of_card("---\nbase_model: org/llama@2\n---")
    assert (base.name, base.version) == ("org/llama", "2")
    assert lineage_of_card("---\n---\n# A model\n") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# A model", "must begin with metadata"),
        ("---\nbase_model: x\n", "must begin with metadata"),
        ("Hello\n---\na: b\n---\n", "must begin with metadata"),
        ("---\n- x\n---\n", "must be a mapping"),
        ("---\na: [\n---\n", "The metadata of the card"),
        ("---\nbase_model: 7\n---\n", "base_model must be a name"),
        ("---\ndatasets: [1]\n---\n", "datasets must be a name"),
        ("---\nbase_model: [a, a]\n---\n", "names the same ancestor twice"),
        ('---\nweighbridge: {"lineage": [{"relation": "friend"}]}\n---\n', "relation"),
    ],
)
def test_a_faulty_card_is_refused(text, words):
    with pytest.raises(Invalid, match=words):
        lineage_of_card(text)


@pytest.mark.parametrize("content", [b"---\n\xff\xfe", b"{", b"[]", b""])
def test_a_file_that_is_neither_is_refused(content):
    with pytest.raises(Invalid):
        read_lineage(content, name="README.md")
