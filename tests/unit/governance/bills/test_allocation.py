import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.bills.domain.allocation.rules import FieldPattern, Rule, check_disjoint, read_rules, shared_row
from tests.factories.allocation import takes
from weighbridge.core.errors import Invalid


def document(*rules, **changes):
    return {
        "apiVersion": "weighbridge/v1",
        "kind": "AllocationRules",
        "name": "default",
        "rules": list(rules),
        **changes,
    }


def rule(name="a", account="search", **match):
    return {"id": name, "match": match, "account": account}


def test_rules_are_read():
    found = read_rules(
        document(
            rule(tags={"model": ["visual-search", "vs-*"]}, providers=["AWS"]) | {"model": "search/visual-search"},
            rule("b", "ads", tags={"model": []}, subaccounts=["77*"]),
        )
    )
    assert found.name == "default"
    assert found.rules == (
        Rule(
            "a",
            (FieldPattern("provider", ("AWS",)), FieldPattern("tags.model", ("visual-search", "vs-*"))),
            "search",
            "search/visual-search",
        ),
        Rule("b", (FieldPattern("subaccount", ("77*",)), FieldPattern("tags.model", ())), "ads"),
    )


@pytest.mark.parametrize(
    ("faulty", "field", "reason"),
    [
        (document(rule()), "rules[0].match", "must name at least one of providers, services"),
        (document(rule(color=["red"])), "rules[0].match.color", "unknown"),
        (document(rule(skus="x")), "rules[0].match.skus", "list of texts"),
        (document({"id": "a", "match": {"skus": ["x"]}}), "rules[0].account", "is missing"),
        (document(rule(skus=["x"]) | {"model": "visual-search"}), "rules[0].model", "team/model"),
        (document(rule(skus=["x"]) | {"request": "MRR-1"}), "rules[0].request", "like MRR-2026-0001"),
        (document(rule(skus=["x"]), rule(skus=["y"])), "rules[1].id", "repeats 'a'"),
        (document(kind="Policy"), "kind", "must be AllocationRules"),
        (document(*(rule(f"r{n}", skus=[f"s{n}"]) for n in range(501))), "rules", "at most 500"),
    ],
)
def test_faulty_rules_are_refused_with_the_place(faulty, field, reason):
    with pytest.raises(Invalid, match=reason) as caught:
        read_rules(faulty)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("one", "other", "row"),
    [
        ({"skus": ["a"]}, {"skus": ["b"]}, None),
        ({"skus": ["a"]}, {"skus": ["b", "a"]}, {"sku": "a"}),
        ({"skus": ["gpu-*"]}, {"skus": ["gpu-a100"]}, {"sku": "gpu-a100"}),
        ({"skus": ["gpu-*"]}, {"skus": ["gp*"]}, {"sku": "gpu-"}),
        ({"skus": ["gpu-*"]}, {"skus": ["cpu-*"]}, None),
        ({"skus": ["*"]}, {"skus": []}, None),
        ({"skus": ["*"]}, {"skus": ["*"]}, {"sku": "x"}),
        ({"skus": []}, {"skus": []}, {"sku": ""}),
        ({"skus": ["a"]}, {"tags": {"m": ["v"]}}, {"sku": "a", "tags.m": "v"}),
        ({"skus": ["a"], "tags": {"m": []}}, {"tags": {"m": ["v"]}}, None),
    ],
)
def test_whether_two_rules_share_a_row(one, other, row):
    first, second = (read_rules(document(rule(**match))).rules[0] for match in (one, other))
    assert shared_row(first, second) == row
    assert shared_row(second, first) == row


def test_an_overlap_is_refused_with_an_example_and_a_way_out():
    with pytest.raises(Invalid, match=r"'a' and 'b' overlap: a row with sku 'x', no tags\.m matches") as caught:
        read_rules(document(rule(skus=["x"]), rule("b", tags={"m": []})))
    assert (caught.value.field, caught.value.code) == ("rules[1].match", "overlap")


PATTERNS = st.lists(
    st.text("ab", min_size=1, max_size=2).flatmap(lambda t: st.sampled_from([t, f"{t}*"])), max_size=2, unique=True
)
RULES = st.dictionaries(st.sampled_from(["sku", "tags.m"]), PATTERNS, min_size=1).map(
    lambda found: Rule("r", tuple(FieldPattern(field, tuple(patterns)) for field, patterns in found.items()), "search")
)
VALUES = ["", *(a + b for a in ["a", "b"] for b in ["", "a", "b", "aa", "ab"])]


@given(RULES, RULES)
def test_rules_found_disjoint_never_take_the_same_row(one, other):
    """Every row of short words is tried on both."""
    rows = [({"sku": sku}, {"m": tag}) for sku in VALUES for tag in VALUES]
    both = [(line, tags) for line, tags in rows if takes(one, line, tags) and takes(other, line, tags)]
    found = shared_row(one, other)
    assert (found is None) == (both == [])
    if found is not None:
        tags = {"m": found["tags.m"]} if "tags.m" in found else {}
        assert takes(one, {"sku": found.get("sku", "")}, tags)
        assert takes(other, {"sku": found.get("sku", "")}, tags)
        with pytest.raises(Invalid):
            check_disjoint([one, other])


def test_a_rule_may_name_the_request_whose_commitment_it_draws_on():
    (found,) = read_rules(document(rule(skus=["x"]) | {"request": "MRR-2026-0001"})).rules
    assert (found.request, found.model) == ("MRR-2026-0001", "")


def test_a_document_may_come_from_json():
    assert read_rules(json.loads(json.dumps(document(rule(skus=["x"]))))).rules[0].id == "a"
