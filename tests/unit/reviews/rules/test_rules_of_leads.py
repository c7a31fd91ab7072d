"""What leads may not do with what is their own, and what takes somebody who sees every team."""

import pytest

from governance.people.domain.roles import Person, Role
from reviews.evidence import rules as evidence_rules
from reviews.quarterly import rules as quarterly_rules
from weighbridge.core.errors import NotAllowed

LEAD = Person(7, "ada", roles=frozenset({Role.PLATFORM_LEAD}))


def test_nobody_drops_what_they_owe() -> None:
    quarterly_rules.check_drop_action(LEAD, owner_id=8)
    with pytest.raises(NotAllowed, match="You cannot drop your own action item"):
        quarterly_rules.check_drop_action(LEAD, owner_id=7)


def test_a_back_test_reads_every_team() -> None:
    assert evidence_rules.may_backtest(LEAD)
    assert not evidence_rules.may_backtest(
        Person(9, "bob", roles=frozenset({Role.REQUESTER}), teams=frozenset({"search"}))
    )
    with pytest.raises(NotAllowed, match="every team"):
        evidence_rules.check_backtest(Person(9, "bob", roles=frozenset({Role.REQUESTER})))
