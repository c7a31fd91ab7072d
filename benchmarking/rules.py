"""Who may do what to a benchmark run: `check_` raises with a reason, `may_` answers."""

from governance.domain.refusals import NotAllowed
from governance.domain.roles import Person, Role
from governance.rules import may


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
