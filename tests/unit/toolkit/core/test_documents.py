from decimal import Decimal

import pytest

from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis


def refused(call, *args, **kwargs):
    with pytest.raises(Invalid) as refusal:
        call(*args, **kwargs)
    return refusal.value.field, refusal.value.reason


def test_each_method_reads_its_kind():
    reader = Reader(
        {"t": " a ", "w": 2, "f": False, "n": 0.1, "c": "measured", "l": ["a", "b"], "m": {"x": "y"}, "k": True}
    )
    assert reader.text("t") == "a"
    assert reader.whole("w") == 2
    assert reader.flag("f") is False
    assert reader.number("n") == Decimal("0.1")
    assert reader.choice("c", Basis) is Basis.MEASURED
    assert reader.words("l") == ("a", "b")
    assert reader.mapping("m").text("x") == "y"
    reader.constant("k", True)
    reader.close()


def test_absent_and_null_keys_give_their_defaults():
    reader = Reader({"t": None})
    assert reader.text("t", "") == ""
    assert reader.whole("w", 3) == 3
    assert reader.flag("f", True) is True
    assert reader.choice("c", Basis, Basis.BILLED) is Basis.BILLED
    assert reader.words("l") == ()
    assert reader.items("i", lambda each: each.text("x")) == ()
    reader.mapping("m").close()
    reader.constant("k", True, is_required=False)


@pytest.mark.parametrize(
    ("method", "value", "words"),
    [
        ("text", 5, "must be text"),
        ("text", "  ", "must be text"),
        ("whole", 1.0, "whole number, 0 or more"),
        ("whole", True, "whole number"),
        ("whole", -1, "whole number"),
        ("flag", 1, "true or false"),
        ("number", "ten", "must be a number"),
        ("number", True, "must be a number"),
        ("number", [1], "must be a number"),
        ("number", float("inf"), "must be a number"),
        ("number", "1e99", "plausible"),
        ("words", "abc", "list of texts"),
        ("words", [1], "list of texts"),
        ("words", [""], "list of texts"),
        ("words", ["a", "a"], "duplicate"),
        ("mapping", [], "must be a mapping"),
    ],
)
def test_the_wrong_kind_is_refused_with_its_path(method, value, words):
    field, reason = refused(getattr(Reader({"key": value}, path="rules[2]"), method), "key")
    assert field == "rules[2].key"
    assert words in reason


def test_missing_keys_closed_words_and_constants():
    assert refused(Reader({}).text, "name") == ("name", "name is missing.")
    assert "one of declared" in refused(Reader({"b": "said"}).choice, "b", Basis)[1]
    assert "one of declared" in refused(Reader({"b": ["x"]}).choice, "b", Basis)[1]
    assert refused(Reader({"k": 1}).constant, "k", True) == ("k", "k must be true.")
    assert refused(Reader({"k": "v2"}).constant, "k", "v1") == ("k", "k must be v1.")


def test_lists_of_mappings_are_read_and_closed_one_by_one():
    assert Reader({"i": [{"x": "a"}, {"x": "b"}]}).items("i", lambda each: each.text("x")) == ("a", "b")
    field, reason = refused(Reader({"i": [{"x": "a"}, {"x": "b", "z": 1}]}).items, "i", lambda each: each.text("x"))
    assert (field, reason) == ("i[1].z", "i[1].z is unknown; the known keys are x.")
    assert refused(Reader({"i": "x"}).items, "i", Reader.close)[0] == "i"
    assert refused(Reader({"i": ["x"]}).items, "i", Reader.close)[0] == "i[0]"


def test_only_mappings_are_documents():
    assert refused(Reader, "text") == (None, "The document must be a mapping of names to values.")


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
@pytest.mark.parametrize(
    ("nest", "field"),
    [
        (lambda text: {"a": text}, "a"),
        (lambda text: {"a": [{"b": [text]}]}, "a[0].b[0]"),
        (lambda text: {"a": {text: 1}}, "a"),
        (lambda text: {text: 1}, None),
    ],
)
def test_what_cannot_be_stored_is_refused_wherever_it_is(text, nest, field):
    found, reason = refused(Reader, nest(text))
    assert (found, reason.endswith("contains a character that cannot be stored.")) == (field, True)


def test_a_document_may_contain_itself():
    document = {"a": "é"}
    document["b"] = document
    assert Reader(document).text("a") == "é"


def test_whole_numbers_have_an_end():
    assert refused(Reader({"n": 10**9 + 1}).whole, "n") == ("n", "n must be at most 1,000,000,000.")
    assert Reader({"n": 5}).whole("n", at_most=5) == 5


def test_ids_are_unique():
    check_unique(("a", "b"), path="rules")
    assert refused(check_unique, ("a", "b", "a"), path="rules") == (
        "rules[2].id",
        "rules[2].id repeats 'a'; each must be unique.",
    )
