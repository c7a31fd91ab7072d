"""Usage of a month against limits, and the subject that a name means."""

from decimal import Decimal

import pytest

from reviews.workloads.domain.limits import LimitShare, UsageTotals, digest_named, shares_of

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
