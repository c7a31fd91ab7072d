"""Whole numbers in addresses, forms and references."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.site.domain.numbers import whole_number


@given(st.integers(0, 10**18 - 1))
def test_a_number_is_read(number):
    assert whole_number(str(number)) == number


@pytest.mark.parametrize("text", ["", " 1", "-1", "+1", "1.0", "1_0", "²", "٣", "1e3", "MRR-1", "9" * 19, "9" * 5000])
def test_any_other_text_is_none(text):
    assert whole_number(text) is None


@given(st.text())
def test_no_text_raises_an_error(text):
    number = whole_number(text)
    assert number is None or str(number) == text.lstrip("0") or number == 0
