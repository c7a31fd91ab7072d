"""`evaluation_sets` of a policy: the sets on which quality counts as measured."""

import pytest

from governance.rulebook.domain.policy_diff import diff
from tests.unit.governance.rulebook.builders import policy
from weighbridge.core.errors import Invalid


def test_a_policy_may_name_the_sets_that_count() -> None:
    assert policy().evaluation_sets == policy(evaluation_sets=[]).evaluation_sets == ()
    assert policy(evaluation_sets=["held-out photographs@3", "signs"]).evaluation_sets == (
        "held-out photographs@3",
        "signs",
    )


@pytest.mark.parametrize("name", ["a@", "@1", "a@b", "a@0", "a@1@2", "n" * 121])
def test_a_name_that_no_set_can_have_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="write the name of a set, or name@version") as refusal:
        policy(evaluation_sets=[name])
    assert refusal.value.field == "evaluation_sets"


def test_a_change_of_the_sets_is_a_difference() -> None:
    (difference,) = diff(policy(), policy(evaluation_sets=["signs@2"]))
    assert (difference.path, difference.before, difference.after) == ("evaluation_sets", "any governed set", "signs@2")
