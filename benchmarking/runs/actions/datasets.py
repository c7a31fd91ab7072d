"""Writes of evaluation sets: register a version, govern it by two people or as a data steward, and retire it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, Q

from benchmarking.runs.domain.data_file import DataSummary, inspect
from benchmarking.runs.domain.evaluation_sets import NAME, DatasetPurpose, DatasetStatus
from benchmarking.runs.models import Dataset
from benchmarking.runs.rules import check_govern, check_impartial, check_propose_set, check_register, may_govern
from governance.audit.actions import record as audit
from governance.inventory.actions import artifacts
from governance.inventory.actions.artifacts import SpooledUpload
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import ChangeKind
from governance.people.approvals.kinds import register as register_kind
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.people.models import Team
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from governance.people.rules import may_read_changes
from weighbridge.core.errors import Invalid, NotFound, WrongState

LICENSE_CHARS_MAX = 120
REASON_CHARS_MIN, REASON_CHARS_MAX = 10, 2_000


@dataclass(frozen=True, kw_only=True)
class NewDataset:
    """An evaluation set to register: `team` is the slug of its owner, "" for the only team of a requester.

    `upload` is a file as Django receives it, or a SpooledUpload. `is_governed`: a data steward registers the set for
    everybody, without a second person.
    """

    name: str
    upload: Any
    license: str
    team: str = ""
    purpose: str = DatasetPurpose.ACCEPTANCE
    is_governed: bool = False


def register(*, entry: NewDataset, by: User, now: datetime) -> Dataset:
    """Store an `.npz` file with arrays x and y as the next version of its name. The same content is the same version.

    Rows, size and class balance are computed from the file.
    """
    team = _team_of(entry, person_of(by))
    _check_entry(entry)
    with SpooledUpload.read(entry.upload) as spooled:
        summary = inspect(spooled.path, limit_mb=settings.WEIGHBRIDGE["RUN_MEMORY_MB"])
        with transaction.atomic():
            Team.objects.select_for_update(no_key=True).get(pk=team.pk)  # the next version number of its sets
            known = Dataset.objects.filter(team=team, digest=f"sha256:{spooled.hash}").first()
            if known is not None:
                return _same(known, entry)
            return _registered(entry, team, spooled, summary, by, now)


def propose(*, dataset: Dataset, reason: str, by: User, now: datetime) -> Change:
    """Propose that a set is governed. A data steward from outside its team, who did not register it, confirms."""
    details = {
        "set": str(dataset),
        "team": dataset.team.slug,
        "purpose": dataset.purpose,
        "license": dataset.license,
        "rows": dataset.rows,
        "size_bytes": dataset.size_bytes,
        "class_balance": dataset.class_balance,
        "digest": dataset.digest,
    }
    change = Change(
        kind=Changed.DATASET,
        subject_id=dataset.pk,
        description=f"Govern the evaluation set {dataset} of {dataset.team.name}",
        gains=dataset.registered_by,
        details=details,
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def govern(*, dataset: Dataset, by: User, now: datetime) -> Dataset:
    """Govern a proposed set, whose change this person confirmed; the database refuses it without one."""
    with transaction.atomic():
        row = _locked(dataset)
        _check_governable(row)
        fields = _governed(by, now)
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(update_fields=[*fields])
        _record("governed", row, by, now, {"digest": row.digest})
    return row


def retire(*, dataset: Dataset, reason: str, by: User, now: datetime) -> Dataset:
    """Retire a set: no new request uses it, and new values on it are no longer measured. Earlier values remain."""
    check_govern(person_of(by), to="retire an evaluation set")
    if not REASON_CHARS_MIN <= len(reason.strip()) <= REASON_CHARS_MAX:
        text = f"Give a reason of {REASON_CHARS_MIN} to {REASON_CHARS_MAX:,} characters."
        raise Invalid(text, field="reason")
    with transaction.atomic():
        row = _locked(dataset)
        if row.status == DatasetStatus.RETIRED:
            raise WrongState(f"The evaluation set {row} is already retired.")
        row.status, row.retired_at = DatasetStatus.RETIRED, now
        row.save(update_fields=["status", "retired_at"])
        _record("retired", row, by, now, {"digest": row.digest}, reason=reason)
    return row


def _team_of(entry: NewDataset, person: Person) -> Team:
    slug = entry.team or (next(iter(person.teams)) if len(person.teams) == 1 else "")
    check_register(person, team=slug)
    if entry.is_governed:
        check_govern(person, to="register a governed evaluation set")
    if not slug:
        raise Invalid("Choose the team that owns the evaluation set.", field="team")
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise NotFound(f"There is no team {slug!r}.", field="team")
    return team


def _check_entry(entry: NewDataset) -> None:
    if not entry.name.strip():
        raise Invalid("Enter a name for the data set.", field="name")
    if not NAME.fullmatch(entry.name.strip()):
        raise Invalid("The name may have 120 characters, without @, which separates name and version.", field="name")
    if entry.purpose not in list(DatasetPurpose):
        raise Invalid(f"The purpose must be one of {', '.join(DatasetPurpose)}.", field="purpose")
    if not 1 <= len(entry.license.strip()) <= LICENSE_CHARS_MAX:
        text = f"Enter the license of the data in at most {LICENSE_CHARS_MAX} characters, for example MIT or internal."
        raise Invalid(text, field="license")


def _same(known: Dataset, entry: NewDataset) -> Dataset:
    if known.name != entry.name.strip():
        text = f"This content is already registered as {known}. Choose that set, or send other data."
        raise Invalid(text, code="data_registered", field="file")
    return known


def _registered(
    entry: NewDataset, team: Team, spooled: SpooledUpload, summary: DataSummary, by: User, now: datetime
) -> Dataset:
    name = entry.name.strip()
    last = Dataset.objects.filter(team=team, name=name).aggregate(last=Max("version"))["last"] or 0
    stored = artifacts.store(upload=spooled, by=by, now=now)
    row = Dataset(
        team=team,
        name=name,
        version=last + 1,
        license=entry.license.strip(),
        purpose=entry.purpose,
        **vars(stored),
        **vars(summary),
        registered_by=by,
        registered_at=now,
        **(_governed(by, now) if entry.is_governed else {}),
    )
    if entry.is_governed:
        _check_name(row)
    row.save(force_insert=True)
    _record("registered", row, by, now, {"name": str(row), "team": team.slug, "status": row.status, "rows": row.rows})
    return row


def _governed(by: User, now: datetime) -> dict[str, Any]:
    teams = sorted(team_slugs_of(person_of(by), now=now))
    return {"status": DatasetStatus.GOVERNED, "governed_by": by, "governed_at": now, "steward_teams": teams}


def _check_governable(row: Dataset) -> None:
    if row.status != DatasetStatus.PROPOSED:
        raise WrongState(f"The evaluation set {row} is {row.status}; only a proposed set can be governed.")
    _check_name(row)


def _check_name(row: Dataset) -> None:
    """A policy names sets without their team, so a name is governed for one team."""
    others = Dataset.objects.filter(name=row.name, governed_at__isnull=False).exclude(team=row.team)
    if others.exists():
        text = f"Another team has a governed evaluation set called {row.name!r}; register it under another name."
        raise WrongState(text, code="name_taken", field="name")


def _locked(dataset: Dataset) -> Dataset:
    return Dataset.objects.select_for_update(of=("self",)).select_related("team", "registered_by").get(pk=dataset.pk)


def _lock_name(change: Change) -> None:
    """Lock all sets of the name, so that two teams cannot govern it at once."""
    names = Dataset.objects.filter(pk=change.subject_id).values("name")
    list(Dataset.objects.select_for_update().filter(name__in=names).order_by("pk"))


def _dataset_of(change: Change) -> Dataset:
    return Dataset.objects.select_related("team").get(pk=change.subject_id)


def _visible(person: Person) -> Q:
    own = Q(proposed_by_id=person.id) | Q(details__team__in=sorted(person.teams))
    return Q() if may_govern(person) or may_read_changes(person) else own


def _record(word: str, row: Dataset, by: User, now: datetime, details: dict[str, Any], *, reason: str = "") -> None:
    audit.record(
        kind=f"dataset.{word}", by=by, subject=("dataset", row.digest), details=details, reason=reason, now=now
    )


register_kind(
    ChangeKind(
        name=Changed.DATASET,
        confirmers=(Role.DATA_STEWARD,),
        may_propose=lambda person, change: check_propose_set(person, team=_dataset_of(change).team.slug),
        check_impartial=lambda person, change: check_impartial(
            team_slugs_of(person, now=change.proposed_at), team=_dataset_of(change).team.slug
        ),
        check=lambda change: _check_governable(_dataset_of(change)),
        lock=_lock_name,
        apply=lambda change, by, now: govern(dataset=_dataset_of(change), by=by, now=now),
        visible=_visible,
        team=lambda change: _dataset_of(change).team.slug,
        noun="an evaluation set",
        another="a data steward from another team",
        done="confirmed. Quality on this evaluation set now counts as measured.",
        why_none="No data steward is from outside the team. An administrator can propose the role for another person.",
    )
)
