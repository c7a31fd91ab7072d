"""Permissions of load tests. A `check_` function raises NotAllowed with a reason."""

from benchmarking.runs.rules import TRUSTED
from governance.people.domain.roles import Person
from weighbridge.core.errors import NotAllowed


def check_load(person: Person) -> None:
    """Only platform leads and administrators may send load to another machine."""
    if not person.is_active or not person.roles & TRUSTED:
        raise NotAllowed("Only platform leads and administrators start and cancel load tests.")
