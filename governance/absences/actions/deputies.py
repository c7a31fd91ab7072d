"""A deputy who gets the roles of an absent person. That takes two people, as a grant of these roles does."""

from datetime import datetime

from django.contrib.auth.models import User

from governance.absences.locking import lock, lock_people
from governance.absences.models import Absence
from governance.absences.queries import check_can_be_deputy
from governance.absences.rules import check_propose_deputy
from governance.audit.actions import record as audit
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import binding, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import BINDING, Person
from governance.people.queries.people import name_of, person_of
from governance.people.rules import sees_everything
from weighbridge.core.errors import Invalid, NotAllowed, WrongState


def propose_deputy(*, absence: Absence, deputy: User, reason: str, by: User, now: datetime) -> Change:
    """Propose that a person votes in the place of an absent one with their roles. An administrator confirms it."""
    roles = sorted(person_of(absence.person).roles & BINDING)
    words = ", ".join(role.label.lower() for role in roles)
    description = (
        f"Let {name_of(deputy)} act in the place of {name_of(absence.person)} as {words or 'nothing'} "
        f"until {absence.ends_on:%Y-%m-%d}"
    )
    change = Change(
        kind=Changed.DEPUTY,
        subject_id=absence.pk,
        description=description,
        gains=deputy,
        details={"person": absence.person.username, "deputy": deputy.username, "roles": [str(role) for role in roles]},
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _may_propose(person: Person, change: Change) -> None:
    check_propose_deputy(person)
    if person.id == change.gains_id:
        raise NotAllowed("You cannot propose yourself as a deputy. Ask another platform lead.")


def _check_impartial(person: Person, change: Change) -> None:
    if person.id == Absence.objects.get(pk=change.subject_id).person_id:
        raise NotAllowed("It is your absence, so another administrator must confirm the deputy.")


def _check(change: Change) -> None:
    """Raise if the absence has a deputy or has ended, if there is no role to give, or if the deputy cannot be one."""
    absence = Absence.objects.select_related("person").get(pk=change.subject_id)
    if absence.ended_at is not None:
        raise WrongState(f"{absence} is already over.")
    if absence.deputy_id is not None:
        raise WrongState(f"{absence} has a deputy. End it, and state it again without a deputy.")
    if not change.details["roles"]:
        raise Invalid(f"{name_of(absence.person)} has no role in which a deputy could act.", field="deputy")
    deputy = _deputy_of(change)
    if not (person_of(deputy).roles & BINDING and sees_everything(person_of(deputy))):
        raise Invalid(
            f"{name_of(deputy)} must be a reviewer, platform lead, product lead, finance, data steward or "
            "administrator already, so that they may read the requests of all teams and their account is protected as "
            "one that votes.",
            field="deputy",
        )
    check_can_be_deputy(deputy, person=absence.person, period=absence.period)


def _deputy_of(change: Change) -> User:
    return User.objects.get(username=change.details["deputy"])


def _lock(change: Change) -> None:
    absence = Absence.objects.select_related("person").get(pk=change.subject_id)
    lock_people([absence.person, _deputy_of(change)])
    lock(absence)


def _apply(change: Change, by: User, now: datetime) -> None:
    _check(change)
    row = Absence.objects.select_related("person").get(pk=change.subject_id)
    if row.ends_on < now.date():
        raise WrongState(f"{row} is already over.")
    row.deputy, row.change, row.confirmed_roles = change.gains, change, change.details["roles"]
    row.save(update_fields=["deputy", "change", "confirmed_roles"])
    details = {"absence": row.pk, "deputy": change.details["deputy"], "change": str(change)}
    details |= {"roles": ", ".join(row.confirmed_roles)}
    subject = ("person", row.person.username)
    audit.record(kind="absence.deputy_named", by=by, subject=subject, details=details, now=now)


register(
    binding(
        name=Changed.DEPUTY,
        may_propose=_may_propose,
        check=_check,
        check_impartial=_check_impartial,
        lock=_lock,
        apply=_apply,
    )
)
