"""The number of an authorization and the reference of its request lead to each other."""

import pytest

from reviews.authorizations.domain.numbers import number_of, request_ref_of


@pytest.mark.parametrize(
    ("ref", "number"),
    [("MRR-2026-0001", "AUT-2026-0001"), ("MRR-2026-12345678", "AUT-2026-12345678"), ("MRR-2", "AUT-2")],
)
def test_a_request_and_its_authorization_name_each_other(ref: str, number: str) -> None:
    assert number_of(ref) == number
    assert request_ref_of(number) == ref
