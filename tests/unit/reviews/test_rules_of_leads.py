"""What leads may not do with what is their own, and what takes somebody who sees every team."""

import pytest

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role
from reviews import rules

LEAD = Person(7, "ada", roles=frozenset({Role.PLATFORM_LEAD}))


def test_nobody_drops_what_they_owe() -> None:
    rules.check_drop_action(LEAD, owner_id=8)
    with pytest.raises(NotAllowed, match="Nobody gives up what they owe themselves"):
        rules.check_drop_action(LEAD, owner_id=7)


def test_a_back_test_reads_every_team() -> None:
    assert rules.may_backtest(LEAD)
    assert not rules.may_backtest(Person(9, "bob", roles=frozenset({Role.REQUESTER}), teams=frozenset({"search"})))
    with pytest.raises(NotAllowed, match="every team"):
        rules.check_backtest(Person(9, "bob", roles=frozenset({Role.REQUESTER})))
