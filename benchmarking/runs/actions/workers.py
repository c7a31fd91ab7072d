"""Writes of the register of workers elsewhere: two people register a worker with its key, and one retires it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q

from benchmarking.runs.models import Worker
from benchmarking.runs.rules import check_register_worker
from governance.audit.actions import record as audit
from governance.people.actions.people import SLUG
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import binding, register
from governance.people.approvals.models import Change
from governance.people.domain.reasons import check_reason
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from governance.rulebook.domain.benchmark_plans import HardwareClass
from weighbridge.core import attestation
from weighbridge.core.documents import is_storable
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

MACHINE_CHARS_MAX, KEY_CHARS_MAX = 200, 2_000


@dataclass(frozen=True, kw_only=True)
class NewWorker:
    """A worker to register: the user name of its account, its queue, its machine in words, and its public key (PEM)."""

    name: str
    account: str
    queue: str
    machine: str
    public_key: str


def propose(*, entry: NewWorker, reason: str, by: User, now: datetime) -> Change:
    """Propose a worker, whose results will count as measured here; another lead or administrator confirms it."""
    check_register_worker(person_of(by))
    public_key = _checked(entry)
    account = _account_of(entry.account)
    change = Change(
        kind=Changed.WORKER,
        subject_id=account.pk,
        description=f"Register the worker {entry.name} for the queue {entry.queue}",
        details={**vars(entry), "public_key": public_key, "key_id": attestation.key_id(public_key)},
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def retire(*, worker: Worker, reason: str, by: User, now: datetime) -> Worker:
    """Retire a worker at once: its calls are refused, and a run in its hand goes to another when its lease lapses."""
    check_register_worker(person_of(by))
    check_reason(reason)
    with transaction.atomic():
        row = Worker.objects.select_for_update().get(pk=worker.pk)
        if row.retired_at is not None:
            raise WrongState(f"The worker {row} is already retired.")
        row.retired_by, row.retired_at = by, now
        row.save(update_fields=["retired_by", "retired_at"])
        _record("retired", row, by, now, reason=reason.strip())
    return row


def _checked(entry: NewWorker) -> str:
    """Return the public key without text around it; raise Invalid for the first wrong field."""
    if not SLUG.fullmatch(entry.name):
        raise Invalid("The name of a worker may contain only letters, digits, hyphens and underscores.", field="name")
    if entry.queue not in list(HardwareClass):
        raise Invalid(f"The queue must be one of {', '.join(HardwareClass)}.", field="queue")
    if not 1 <= len(entry.machine.strip()) <= MACHINE_CHARS_MAX or not is_storable(entry.machine):
        text = f"Describe the machine in at most {MACHINE_CHARS_MAX} characters, for example: EPYC 9354, 64 GB."
        raise Invalid(text, field="machine")
    if len(entry.public_key) > KEY_CHARS_MAX:
        raise Invalid("The public key must be an Ed25519 key in PEM form.", field="public_key")
    try:
        return attestation.plain_public_pem(entry.public_key.strip())
    except Invalid as refusal:
        text = f"{refusal.reason} Give the .pub file of weighbridge result new-key."
        raise Invalid(text, field="public_key") from None


def _account_of(username: str) -> User:
    account = User.objects.filter(username=username, is_active=True).first()
    if account is None:
        raise Invalid(f"There is no active account {username!r}; an administrator can create one.", field="account")
    if person_of(account).roles or account.is_staff or account.is_superuser:
        text = f"The account {username} has a role or is staff; a worker needs an account of its own without either."
        raise Invalid(text, field="account")
    return account


def _check_free(change: Change) -> None:
    """Raise if the account, name or key is taken; a key that was retired stays taken."""
    details = change.details
    _account_of(details["account"])
    taken = Q(retired_at=None) & (Q(account=change.subject_id) | Q(name=details["name"]))
    if Worker.objects.filter(taken | Q(key_id=details["key_id"])).exists():
        text = "A worker with this name, account or key is registered; retire it first. A retired key never returns."
        raise WrongState(text, code="worker_taken")


def _check_impartial(person: Any, change: Change) -> None:
    if person.id == change.subject_id:
        raise NotAllowed("This worker would use your account; another person must confirm it.")


def _register(change: Change, by: User, now: datetime) -> Worker:
    details = change.details
    row = Worker(
        account_id=change.subject_id,
        registered_by=by,
        registered_at=now,
        **{name: details[name] for name in ("name", "queue", "machine", "public_key", "key_id")},
    )
    _check_free(change)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        raise WrongState("Another worker with this name, account or key was registered just now.") from error
    _record("registered", row, by, now)
    return row


def _record(step: str, row: Worker, by: User, now: datetime, *, reason: str = "") -> None:
    details = {"account": row.account.username, "queue": row.queue, "machine": row.machine, "key_id": row.key_id}
    audit.record(kind=f"worker.{step}", by=by, subject=("worker", row.name), details=details, reason=reason, now=now)


register(
    binding(
        name=Changed.WORKER,
        confirmers=(Role.PLATFORM_LEAD, Role.ADMIN),
        noun="a worker",
        another="another platform lead or administrator",
        may_propose=lambda person, _: check_register_worker(person),
        check_impartial=_check_impartial,
        check=_check_free,
        apply=_register,
        done="confirmed. The worker may take runs now, and its results count as measured here.",
        why_none="All platform leads and administrators proposed it. An operator can make another person an "
        "administrator on the server: manage.py grant USER admin.",
    )
)
