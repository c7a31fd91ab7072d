"""Permissions of evidence: `check_…` raises with a reason, `may_…` returns a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, sees_everything
from weighbridge.core.errors import NotAllowed


def check_waive(person: Person) -> None:
    """Waiving a soft rule: platform leads; their interests in the request are checked with its snapshot."""
    if not person.is_active or Role.PLATFORM_LEAD not in person.roles:
        raise NotAllowed("Only a platform lead may waive a rule.")


def check_backtest(person: Person) -> None:
    """Running a back-test: people who may see the requests of every team."""
    if not sees_everything(person):
        raise NotAllowed("A back-test reads the requests of every team; ask a platform lead or an auditor for one.")


may_backtest = may(check_backtest)
