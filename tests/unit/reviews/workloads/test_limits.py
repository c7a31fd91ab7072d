"""Usage of a month against limits, and the subject that a name means."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.workloads.domain.limits import LimitShare, UsageTotals, digest_named, models_meant, shares_of
from weighbridge.client.integrations.litellm.entries import accepted_models
from weighbridge.subjects.kinds import parse_subject

USAGE = UsageTotals(requests=3, input_tokens=70, cached_tokens=20, output_tokens=10, usd=Decimal("1.5"))


@pytest.mark.parametrize(
    ("used", "step", "is_exceeded"),
    [
        ("0", 0, False),
        ("79.99", 0, False),
        ("80", 80, False),
        ("99.9", 80, False),
        ("100", 100, False),
        ("101", 100, True),
    ],
)
def test_a_share_reaches_steps(used, step, is_exceeded):
    share = LimitShare("tokens", Decimal(used), Decimal(100))
    assert (share.percent, share.step, share.is_exceeded) == (Decimal(used), step, is_exceeded)


def test_each_limit_has_a_share_and_unpriced_usage_has_none_in_money():
    assert USAGE.tokens == 80
    assert [(share.name, share.percent) for share in shares_of(USAGE, tokens=100, usd=Decimal(3))] == [
        ("tokens", Decimal(80)),
        ("USD", Decimal(50)),
    ]
    assert shares_of(USAGE, tokens=None, usd=None) == ()
    unpriced = UsageTotals(input_tokens=5, usd=None)
    assert [share.name for share in shares_of(unpriced, tokens=100, usd=Decimal(3))] == ["tokens"]


@pytest.mark.parametrize(
    ("names", "living", "found"),
    [
        ({"a": ["x"]}, ["a"], "a"),
        ({"a": ["x"]}, [], "a"),
        ({"a": ["x"], "b": ["x"]}, ["b"], "b"),
        ({"a": ["x"], "b": ["x"]}, ["a", "b"], ""),
        ({"a": ["x"], "b": ["x"]}, [], ""),
        ({"a": ["y"]}, ["a"], ""),
        ({}, [], ""),
    ],
)
def test_a_name_means_one_subject_or_none(names, living, found):
    assert digest_named("x", names=names, living=living) == found


TEXTS = st.text("a1/-@._", min_size=1, max_size=9)


@given(model=TEXTS, snapshot=st.one_of(st.just(""), TEXTS, st.just("2024-07-18")))
def test_the_first_choice_leaves_out_no_model_that_a_name_means(model, snapshot):
    document = {"kind": "managed", "provider": "some-one", "model": model, "snapshot": snapshot, "region": ""}
    subject = parse_subject(document | {"parameters": {}})
    for name in accepted_models(subject):
        assert models_meant([name, "x/y", "z"])[0] == {"some-one", "x"}
        assert subject.document["model"] in models_meant([name])[1]


def test_a_name_may_mean_what_comes_before_each_sign():
    assert models_meant(["openai/gpt-4o@2024"]) == ({"openai"}, {"gpt-4o@2024", "gpt-4o", "gpt"})
    assert models_meant(["gpt-4o"]) == (frozenset(), frozenset())
