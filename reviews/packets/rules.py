"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person
from governance.people.rules import check_operate
from reviews.requests.rules import Parties, may_edit


def check_print(person: Person, parties: Parties) -> None:
    """Asking for a packet, and drawing one again: the team, and whoever operates the installation."""
    if not may_edit(person, parties):
        check_operate(person)
