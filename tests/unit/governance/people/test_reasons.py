"""The one rule for reasons."""

import pytest

from governance.people.domain.reasons import check_reason
from weighbridge.core.errors import Invalid


@pytest.mark.parametrize("reason", ["ten chars!", " ten chars! ", "x" * 2_000])
def test_a_reason_that_tells_something_passes(reason):
    check_reason(reason)


@pytest.mark.parametrize("reason", ["", "x", " ninechars          ", "x" * 2_001])
def test_any_other_is_refused(reason):
    with pytest.raises(Invalid, match=r"^Why\. Give a reason of 10 to 2,000 characters\.$") as refusal:
        check_reason(reason, why="Why.")
    assert refusal.value.field == "reason"
    with pytest.raises(Invalid, match=r"^Give a reason"):
        check_reason(reason)
