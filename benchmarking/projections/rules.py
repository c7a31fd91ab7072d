"""Who may do what: `check_` raises with a reason, `may_` answers."""

from governance.people.domain.roles import Person
from weighbridge.core.errors import NotAllowed


def check_project(person: Person) -> None:
    """Projecting costs and keeping the answer is for everybody with an active account."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
