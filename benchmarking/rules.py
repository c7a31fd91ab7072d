"""Who may do what to a benchmark run: `check_` raises with a reason, `may_` answers."""

from collections.abc import Iterable

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role
from governance.rules import may

TRUSTED = frozenset({Role.PLATFORM_LEAD, Role.ADMIN})


def check_run(person: Person, *, team: str) -> None:
    """Starting, repeating and cancelling runs: requesters of the model's team, platform leads, administrators."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
    if Role.REQUESTER in person.roles and team in person.teams:
        return
    if not person.roles & {Role.PLATFORM_LEAD, Role.ADMIN}:
        raise NotAllowed(
            "Only requesters of the model's team, platform leads and administrators start or stop its benchmarks."
        )


def may_run(person: Person, *, team: str) -> bool:
    """Whether the person may start, repeat and cancel runs of this team's models."""
    return may(lambda: check_run(person, team=team))


def check_choose_sandbox(person: Person) -> None:
    """What fences strangers' models in is for administrators to choose."""
    if not person.is_active or Role.ADMIN not in person.roles:
        raise NotAllowed("Only administrators choose what may be measured without bubblewrap.")


def needs_wall(uploaders: Iterable[Person], *, may_go_without: bool) -> bool:
    """Whether files of these people are run behind bubblewrap alone.

    Platform leads and administrators are trusted with less: they could change the machine anyway.
    """
    return not may_go_without and not all(person.is_active and person.roles & TRUSTED for person in uploaders)


def check_load(person: Person) -> None:
    """Firing at another machine is for platform leads and administrators."""
    if not person.is_active or not person.roles & TRUSTED:
        raise NotAllowed("Only platform leads and administrators start and cancel load tests.")


def check_price(person: Person) -> None:
    """Publishing and withdrawing price lists and contracts is for finance and platform leads."""
    if not person.is_active or not person.roles & {Role.FINANCE, Role.PLATFORM_LEAD}:
        raise NotAllowed("Only finance and platform leads publish and withdraw prices.")


def check_project(person: Person) -> None:
    """Projecting costs and keeping the answer is for everybody with an active account."""
    if not person.is_active:
        raise NotAllowed("Your account is not active; ask an administrator.")
