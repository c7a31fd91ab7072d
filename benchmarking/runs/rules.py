"""Permissions of runs and evaluation sets. A `check_` function raises NotAllowed with a reason."""

from collections.abc import Iterable, Set

from benchmarking.runs.models import Run
from governance.jobs.enums import UNFINISHED
from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, may, need_role
from weighbridge.core.errors import NotAllowed, WrongState

TRUSTED = frozenset({Role.PLATFORM_LEAD, Role.ADMIN})


def check_run(person: Person, *, team: str) -> None:
    """Requesters of the model's team, platform leads and administrators start, repeat and cancel runs."""
    if not person.is_active:
        raise NotAllowed("Your account is not active. Ask an administrator.")
    if Role.REQUESTER in person.roles and team in person.teams:
        return
    if not person.roles & {Role.PLATFORM_LEAD, Role.ADMIN}:
        raise NotAllowed(
            "Only requesters of the model's team, platform leads and administrators start or stop its benchmarks."
        )


def check_repeat(run: Run, person: Person) -> None:
    """Only an ended run can be repeated; raises WrongState for others."""
    check_run(person, team=run.model_version.asset.team.slug)
    if run.state in UNFINISHED:
        raise WrongState(f"Run {run.pk} is still {run.state}; wait for it or cancel it first.")


def check_choose_sandbox(person: Person) -> None:
    """Only administrators choose whether runs may go without bubblewrap."""
    if not person.is_active or Role.ADMIN not in person.roles:
        raise NotAllowed("Only administrators choose whether models may run without bubblewrap.")


def check_register(person: Person, *, team: str) -> None:
    """Register an evaluation set: requesters of the team that owns it, and data stewards for every team."""
    if not person.has_role(Role.DATA_STEWARD):
        need_role(person, Role.REQUESTER, Role.DATA_STEWARD, to="register data")
        if team:
            check_act_for_team(person, team=team)


def check_propose_set(person: Person, *, team: str) -> None:
    """Propose that an evaluation set is governed: whoever may register it."""
    check_register(person, team=team)


def check_govern(person: Person, *, to: str = "confirm an evaluation set") -> None:
    """Govern evaluation sets: data stewards."""
    need_role(person, Role.DATA_STEWARD, to=to)


def check_impartial(own_teams: Set[str], *, team: str) -> None:
    """Raise NotAllowed if the team that owns the set is one of the teams that the data steward belongs to."""
    if team in own_teams:
        raise NotAllowed("You belong to the team that owns this evaluation set; a data steward from another team must.")


def check_register_worker(person: Person) -> None:
    """Register and retire workers elsewhere: platform leads and administrators; to register takes two of them."""
    need_role(person, Role.PLATFORM_LEAD, Role.ADMIN, to="register and retire workers")


def check_work(person: Person, *, is_registered: bool) -> None:
    """Take runs: the account of a registered worker, which has no role, so that nobody judges what it measured."""
    if not person.is_active or not is_registered:
        raise NotAllowed("This account is not that of a registered worker. Ask a platform lead.", code="not_a_worker")
    if person.roles:
        text = "The account of a worker must have no role. Ask an administrator to revoke its roles."
        raise NotAllowed(text, code="worker_has_roles")


may_govern = may(check_govern)


def needs_wall(uploaders: Iterable[Person], *, may_skip_bubblewrap: bool) -> bool:
    """Whether a run of files from these people requires bubblewrap.

    Files from platform leads and administrators do not: these people could change the machine anyway.
    """
    return not may_skip_bubblewrap and not all(person.is_active and person.roles & TRUSTED for person in uploaders)
