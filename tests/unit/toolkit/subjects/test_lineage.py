"""Lineage: entries, cycles, and what passes from a parent to a child."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.subjects import (
    Ancestor,
    Relation,
    Statement,
    check_acyclic,
    inherits,
    lineage,
    lineage_document,
    lineage_of_lines,
    parse_lineage,
)


def digest(number):
    return f"sha256:{number:064x}"


def test_entries_are_read():
    found = parse_lineage(
        [
            {"relation": "base_model", "name": "meta-llama/Llama-3.1-8B", "version": "main", "license": "llama3.1"},
            {"relation": "quantized_from", "digest": "0" * 64},
        ]
    )
    named = Ancestor(Relation.BASE_MODEL, name="meta-llama/Llama-3.1-8B", version="main", license="llama3.1")
    assert found == (named, Ancestor(Relation.QUANTIZED_FROM, digest=digest(0)))
    assert [str(each) for each in found] == ["meta-llama/Llama-3.1-8B@main", digest(0)]
    assert parse_lineage([]) == ()


ENTRY = {"relation": "base_model", "digest": digest(1)}


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "lineage"),
        ([5], "lineage[0]"),
        ([ENTRY | {"relation": "copied_from"}], "lineage[0].relation"),
        ([ENTRY | {"digest": "x"}], "lineage[0].digest"),
        ([ENTRY | {"name": "a", "version": "1"}], "lineage[0].digest"),
        ([{"relation": "base_model"}], "lineage[0].digest"),
        ([{"relation": "base_model", "name": "a"}], "lineage[0].version"),
        ([ENTRY | {"license": "a\nb"}], "lineage[0].license"),
        ([ENTRY | {"more": 1}], "lineage[0].more"),
        ([ENTRY, ENTRY], "lineage"),
        ([ENTRY | {"digest": digest(number)} for number in range(101)], "lineage"),
    ],
)
def test_entries_are_strict(document, field):
    with pytest.raises(Invalid) as refusal:
        parse_lineage(document)
    assert refusal.value.field == field


def ancestors(*numbers):
    return [Ancestor(Relation.FINE_TUNED_FROM, digest=digest(number)) for number in numbers]


def test_a_subject_is_not_its_own_ancestor():
    known = {digest(2): ancestors(3), digest(3): ancestors(1)}
    check_acyclic(digest(5), ancestors(2, 3), lambda each: known.get(each, ()))
    check_acyclic(digest(5), [Ancestor(Relation.BASE_MODEL, name="a", version="1")], lambda _: ())
    with pytest.raises(Invalid, match="would be its own ancestor") as refusal:
        check_acyclic(digest(1), ancestors(2), lambda each: known.get(each, ()))
    assert (refusal.value.code, refusal.value.field) == ("lineage_cycle", "lineage")
    with pytest.raises(Invalid, match="would be its own ancestor"):
        check_acyclic(digest(1), ancestors(1), lambda _: ())


def test_a_cycle_among_the_ancestors_ends():
    known = {digest(2): ancestors(3), digest(3): ancestors(2)}
    check_acyclic(digest(1), ancestors(2), lambda each: known[each])


def test_ancestors_are_bounded(monkeypatch):
    monkeypatch.setattr(lineage, "MOST_VISITED", 5)
    with pytest.raises(Invalid, match="more than 5 ancestors"):
        check_acyclic(digest(0), ancestors(1), lambda each: ancestors(int(each[7:], 16) + 1))


@given(st.dictionaries(st.integers(0, 8), st.lists(st.integers(0, 8), max_size=3), max_size=9))
def test_a_cycle_is_found_exactly_if_there_is_a_way_back(edges):
    reached, pending = set(), list(edges.get(0, []))
    while pending:
        current = pending.pop()
        if current not in reached:
            reached.add(current)
            pending += edges.get(current, [])
    known = {digest(number): ancestors(*parents) for number, parents in edges.items()}
    try:
        check_acyclic(digest(0), known.get(digest(0), ()), lambda each: known.get(each, ()))
        is_cyclic = False
    except Invalid:
        is_cyclic = True
    assert is_cyclic is (0 in reached)


@pytest.mark.parametrize("relation", Relation)
def test_only_what_is_not_measured_or_decided_passes_on(relation):
    passing = {statement for statement in Statement if inherits(relation, statement)}
    expected = {Statement.LICENSE, Statement.TRAINING_DATA, Statement.PROVENANCE}
    assert passing == (expected - {Statement.PROVENANCE} if relation is Relation.TRAINED_ON else expected)


TEXTS = st.from_regex(r"[a-z][a-z0-9./-]{0,20}", fullmatch=True)
LICENSES = st.sampled_from(["", "MIT", "Apache-2.0 OR MIT"])
ANCESTORS = st.one_of(
    st.builds(Ancestor, st.sampled_from(Relation), digest=st.integers(0, 9).map(digest), license=LICENSES),
    st.builds(Ancestor, st.sampled_from(Relation), name=TEXTS, version=TEXTS, license=LICENSES),
)
UNIQUE = st.lists(ANCESTORS, max_size=5, unique_by=lambda each: (each.relation, str(each)))


@given(UNIQUE)
def test_a_lineage_is_read_as_it_was_written(entries):
    assert list(parse_lineage(lineage_document(entries))) == entries
    lines = "\n".join(f" {each.relation}: {each} {each.license}\n" for each in entries)
    assert list(parse_lineage(lineage_of_lines(lines))) == entries


def test_a_name_may_have_an_at_sign():
    (entry,) = lineage_of_lines("base_model: @scope/model@1.0")
    assert entry == {"relation": "base_model", "name": "@scope/model", "version": "1.0"}


@pytest.mark.parametrize("line", ["base_model", "base_model: name", "base_model: @1", "base_model: name@", ": "])
def test_a_line_that_names_nothing_is_refused(line):
    with pytest.raises(Invalid, match="is no ancestor") as refusal:
        lineage_of_lines(line)
    assert refusal.value.field == "lineage"


@pytest.mark.parametrize(("generations", "is_refused"), [(30, False), (31, True)])
def test_generations_are_bounded(generations, is_refused):
    def parents(each):
        number = int(each[7:], 16)
        return ancestors(number + 1) if number < generations else ()

    if is_refused:
        with pytest.raises(Invalid, match="more than 30 generations"):
            check_acyclic(digest(0), ancestors(1), parents)
    else:
        check_acyclic(digest(0), ancestors(1), parents)
