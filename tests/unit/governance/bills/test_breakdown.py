"""Selections of lines survive an address, rests add up, and a new rule is added and kept apart."""

from decimal import Decimal
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from governance.bills.domain.allocation.breakdown import (
    FIELDS,
    BreakdownRow,
    CurrencyTotal,
    LineSelection,
    is_dimension,
    read_selection,
    title_of,
)
from governance.bills.domain.allocation.drafts import EMPTY, kept_apart, overlapping, with_rule
from governance.bills.domain.allocation.rules import FieldPattern, Rule, read_rules
from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.yaml_text import parse_yaml

TEXTS = st.text(max_size=20).filter(is_storable)
NAMES = st.sampled_from(sorted(FIELDS)) | TEXTS.filter(bool).map("tags.{}".format)
VALUES = st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(tuple)
SELECTIONS = st.dictionaries(NAMES, VALUES, max_size=4).map(lambda chosen: LineSelection(tuple(chosen.items())))
PATTERNS = st.lists(TEXTS.filter(str.strip), max_size=3, unique=True).map(tuple)
CONDITIONS = st.dictionaries(NAMES, PATTERNS, min_size=1, max_size=4)
SOURCES = {
    "none": EMPTY,
    "block": EMPTY + "  - id: a\n    match: {skus: [a]}\n    account: search  # ours\n",
    "flush": EMPTY + "- id: a\n  match: {skus: [a]}\n  account: search\n",
    "deep": EMPTY + "    - id: a\n      match: {skus: [a]}\n      account: search\n",
    "flow": EMPTY.replace("rules:", "rules: [{id: a, match: {skus: [a]}, account: search}]"),
    "first": "rules: []\nname: default\napiVersion: weighbridge/v1\nkind: AllocationRules\n",
}


@given(SELECTIONS)
def test_a_selection_is_what_its_address_says(selection):
    query = selection.address(by="sku", page="2")
    assert read_selection(parse_qs(query, keep_blank_values=True)) == selection


def test_a_selection_is_narrowed_and_widened():
    selection = LineSelection().narrowed("sku", "a").narrowed("team", "").narrowed("sku", "b")
    assert selection.values == (("team", ("",)), ("sku", ("b",)))
    assert selection.without("team").conditions == selection.conditions == (FieldPattern("sku", ("b",)),)
    assert LineSelection((("tags.x", ("",)),)).conditions == (FieldPattern("tags.x", ()),)
    of_month = selection.narrowed("month", "2026-09")
    assert (of_month.of_rule, of_month.conditions) == (LineSelection((("sku", ("b",)),)), selection.conditions)
    assert [title_of(name) for name in ("team", "month", "sku", "tags.x")] == ["Team", "Month", "SKU", "Tag x"]
    names = ("team", "month", "sku", "tags.x", "tags.", "tags", "rows", "lines")
    assert [name for name in names if is_dimension(name)] == [
        "team",
        "month",
        "sku",
        "tags.x",
    ]


def test_what_is_left_makes_the_total():
    total = CurrencyTotal("USD", 5, 3, Decimal(10), Decimal(4), Decimal(9))
    row = BreakdownRow("a", "a", 3, 1, Decimal(12), Decimal(4), Decimal(7), None)
    assert (total.unallocated, row.unallocated) == (Decimal(6), Decimal(8))
    assert total.rest([row]) == BreakdownRow("", "", 2, 2, Decimal(-2), Decimal(0), Decimal(2), Decimal("-0.2"))
    assert total.rest([row, total.rest([row])]) is None


@pytest.mark.parametrize("cost", ["0", "-3"])
def test_a_total_of_credits_has_no_shares(cost):
    assert CurrencyTotal("USD", 1, 1, Decimal(cost), Decimal(0), Decimal(0)).share_of(Decimal(1)) is None


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
@settings(max_examples=25)
@example(conditions={"tags.\x85": ("a\u2028b", "\x85a\n b", "💶")})
@given(conditions=CONDITIONS)
def test_a_rule_is_added_to_any_text_as_it_is(source, conditions):
    rule = Rule("new", tuple(FieldPattern(*each) for each in conditions.items()), "ads", "ads/m", "MRR-2026-0001")
    text = with_rule(source, rule)
    before = parse_yaml(source)
    added = parse_yaml(text)
    assert {**added, "rules": added["rules"][:-1]} == {**before, "rules": before["rules"] or []}
    only = read_rules({**added, "rules": added["rules"][-1:]}).rules[0]
    assert set(only.conditions) == set(rule.conditions)
    assert (only.id, only.account, only.model, only.request) == (rule.id, rule.account, rule.model, rule.request)


def test_comments_of_a_block_stay():
    text = with_rule(SOURCES["block"], Rule("b", (FieldPattern("sku", ("b",)),), "ads"))
    assert text == SOURCES["block"] + "  - id: b\n    match:\n      skus:\n      - b\n    account: ads\n"


BY_TAG = Rule("tag", (FieldPattern("tags.m", ("x*",)), FieldPattern("region", ("eu",))), "search")
MINE = Rule("mine", (FieldPattern("sku", ("s",)),), "ads")


@pytest.mark.parametrize(
    ("seen", "added"),
    [
        ({"tags.m": [""]}, [FieldPattern("tags.m", ())]),
        ({"tags.m": ["b", "a"]}, [FieldPattern("tags.m", ("a", "b"))]),
        ({"tags.m": ["", "a"], "region": ["us"]}, [FieldPattern("region", ("us",))]),
        ({"tags.m": ["x1"]}, []),
        ({"tags.m": ["a*"]}, []),
        ({"tags.m": [" "]}, []),
        ({"tags.m": ["", "a"]}, []),
        ({}, []),
    ],
    ids=["none", "others", "second", "taken", "star", "blank", "mixed", "unknown"],
)
def test_a_rule_is_kept_apart_by_what_its_lines_have_in_common(seen, added):
    apart = kept_apart(MINE, [BY_TAG], seen=seen)
    assert list(apart.conditions[1:]) == added
    assert (overlapping(apart, [BY_TAG]) is None) == bool(added)


def test_a_rule_that_is_apart_stays_as_it_is():
    other = Rule("other", (FieldPattern("sku", ("t",)),), "search")
    assert kept_apart(MINE, [other], seen={"sku": ["s"]}) == MINE


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"sku": [str(number) for number in range(51)]}, "at most 50 names and values"),
        ({"sku": ["x" * 4_001]}, "at most 50 names and values"),
        ({"sku": ["\0"]}, "cannot be stored"),
        ({"tags.\ud800": ["x"]}, "cannot be stored"),
    ],
    ids=["many", "long", "nul", "half"],
)
def test_an_address_that_selects_too_much_or_the_impossible_is_refused(parameters, reason):
    with pytest.raises(Invalid, match=reason):
        read_selection(parameters)


def test_no_rule_takes_lines_with_and_without_a_value():
    with pytest.raises(Invalid, match="cannot take lines without SKU together"):
        _ = LineSelection((("sku", ("", "a")),)).conditions
    assert LineSelection((("team", ("", "a")),)).conditions == ()
    with pytest.raises(Invalid, match="cannot name a value of blanks alone, as SKU has here"):
        _ = LineSelection((("sku", (" ",)),)).conditions
