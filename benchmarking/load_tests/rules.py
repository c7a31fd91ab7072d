"""Who may do what: `check_` raises with a reason, `may_` answers."""

from benchmarking.runs.rules import TRUSTED
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotAllowed


def check_load(person: Person) -> None:
    """Firing at another machine is for platform leads and administrators."""
    if not person.is_active or not person.roles & TRUSTED:
        raise NotAllowed("Only platform leads and administrators start and cancel load tests.")
