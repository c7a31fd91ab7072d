"""Evaluation sets are governed by two people, or by a data steward, and never change."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, transaction

from benchmarking.runs.actions import datasets
from benchmarking.runs.models import Dataset
from benchmarking.runs.queries import datasets as reads
from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as changes
from governance.people.approvals.enums import Changed
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from tests.factories.models import make_dataset, new_dataset, npz_bytes
from tests.factories.people import Cast, make_cast, make_person
from tests.standstill import refused
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

WHY = "The team holds these rows back."


def proposed(cast: Cast, now: datetime, **fields: Any) -> Dataset:
    return datasets.register(entry=new_dataset(**fields), by=cast.author, now=now)


def confirm(row: Dataset, by: User, now: datetime, proposer: User) -> Dataset:
    change = datasets.propose(dataset=row, reason=WHY, by=proposer, now=now)
    approvals.confirm(change=change, by=by, now=now)
    row.refresh_from_db()
    return row


def test_two_people_govern_a_set(cast: Cast, now: datetime) -> None:
    row = proposed(cast, now)
    change = datasets.propose(dataset=row, reason=WHY, by=cast.author, now=now)
    assert change.description == "Govern the evaluation set held-out@1 of Search"
    assert change.details["class_balance"] == row.class_balance
    assert changes.confirmers(change) == [cast.steward]
    approvals.confirm(change=change, by=cast.steward, now=now)
    row.refresh_from_db()
    assert (row.status, row.governed_by, row.governed_at) == ("governed", cast.steward, now)
    event = AuditEvent.objects.get(kind="dataset.governed")
    assert event.actor_id == str(cast.steward.pk)
    assert event.subject == row.digest


def test_nobody_governs_a_set_alone_or_from_inside(cast: Cast, now: datetime) -> None:
    row = proposed(cast, now)
    inside = make_person("inside", Role.DATA_STEWARD, now=now)
    people.grant_role(user=inside, role=Role.REQUESTER, team=row.team, by=None, now=now)
    change = datasets.propose(dataset=row, reason=WHY, by=cast.steward, now=now)
    with refused(NotAllowed, match="You proposed this change"):
        approvals.confirm(change=change, by=cast.steward, now=now)
    with refused(NotAllowed, match="a data steward from another team must"):
        approvals.confirm(change=change, by=inside, now=now)
    for person in (cast.author, cast.approver, cast.admin, cast.auditor, cast.outsider):
        with refused(NotAllowed, match="Only a data steward may confirm an evaluation set"):
            approvals.confirm(change=change, by=person, now=now)


def test_who_registered_a_set_does_not_confirm_it(cast: Cast, now: datetime) -> None:
    row = datasets.register(entry=new_dataset(team="search"), by=cast.steward, now=now)
    change = datasets.propose(dataset=row, reason=WHY, by=cast.author, now=now)
    with refused(NotAllowed):
        approvals.confirm(change=change, by=cast.steward, now=now)


def test_another_team_proposes_nothing(cast: Cast, now: datetime) -> None:
    row = proposed(cast, now)
    for person in (cast.outsider, cast.reviewer_one, cast.admin):
        with refused(NotAllowed):
            datasets.propose(dataset=row, reason=WHY, by=person, now=now)


def test_a_data_steward_registers_a_governed_set(cast: Cast, now: datetime) -> None:
    row = datasets.register(entry=new_dataset(team="ads", is_governed=True), by=cast.steward, now=now)
    assert (row.status, row.governed_by, row.team.slug) == ("governed", cast.steward, "ads")
    with refused(NotAllowed, match="Only a data steward may register a governed evaluation set"):
        datasets.register(entry=new_dataset(is_governed=True), by=cast.author, now=now)


def test_a_name_is_governed_for_one_team(cast: Cast, now: datetime) -> None:
    make_dataset(by=cast.author, now=now)
    other = make_dataset(by=cast.outsider, now=now, seed=1, is_governed=False)
    with refused(WrongState, match="Another team has a governed evaluation set called 'held-out'", code="name_taken"):
        datasets.propose(dataset=other, reason=WHY, by=cast.outsider, now=now)
    entry = new_dataset(team="ads", content=npz_bytes(seed=2), is_governed=True)
    with refused(WrongState, code="name_taken"):
        datasets.register(entry=entry, by=cast.steward, now=now)


@pytest.mark.django_db(transaction=True)
def test_two_teams_cannot_govern_a_name_at_the_same_moment(now: datetime) -> None:
    cast = make_cast(now=now)
    rows = [make_dataset(by=by, now=now, is_governed=False) for by in (cast.author, cast.outsider)]
    waiting = [datasets.propose(dataset=row, reason=WHY, by=row.registered_by, now=now) for row in rows]
    together([partial(approvals.confirm, change=change, by=cast.steward, now=now) for change in waiting])
    assert Dataset.objects.filter(governed_at__isnull=False).count() == 1


def test_a_governed_set_is_not_proposed_again(cast: Cast, now: datetime) -> None:
    row = make_dataset(by=cast.author, now=now)
    with refused(WrongState, match="is governed; only a proposed set"):
        datasets.propose(dataset=row, reason=WHY, by=cast.author, now=now)
    assert changes.open_for(kind=Changed.DATASET, subject=row) is None


def test_a_data_steward_retires_a_set(cast: Cast, now: datetime) -> None:
    row = make_dataset(by=cast.author, now=now)
    for person in (cast.author, cast.admin, cast.approver):
        with refused(NotAllowed, match="Only a data steward may retire"):
            datasets.retire(dataset=row, reason=WHY, by=person, now=now)
    with refused(Invalid, match="Give a reason"):
        datasets.retire(dataset=row, reason="old", by=cast.steward, now=now)
    retired = datasets.retire(dataset=row, reason=WHY, by=cast.steward, now=now)
    assert (retired.status, retired.retired_at, retired.governed_by) == ("retired", now, cast.steward)
    with refused(WrongState, match="already retired"):
        datasets.retire(dataset=row, reason=WHY, by=cast.steward, now=now)
    assert AuditEvent.objects.get(kind="dataset.retired").reason == WHY


CHANGES: list[Callable[[Dataset], dict[str, Any]]] = [
    lambda _: {"name": "other"},
    lambda _: {"version": 9},
    lambda _: {"digest": "sha256:" + "0" * 64},
    lambda _: {"class_balance": {"0": 1}},
    lambda _: {"rows": 1_000_000},
    lambda _: {"license": "MIT"},
    lambda _: {"purpose": "calibration"},
    lambda row: {"status": "governed", "governed_by": row.registered_by, "governed_at": row.registered_at},
    lambda row: {"team": Team.objects.exclude(pk=row.team_id).first()},
]


@pytest.mark.parametrize("change", CHANGES)
def test_the_database_refuses_every_change(
    cast: Cast, now: datetime, change: Callable[[Dataset], dict[str, Any]]
) -> None:
    row = proposed(cast, now)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Dataset.objects.filter(pk=row.pk).update(**change(row))
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Dataset.objects.filter(pk=row.pk).delete()


def test_the_database_refuses_a_set_that_nobody_governed(cast: Cast, now: datetime) -> None:
    row = proposed(cast, now)
    row.pk, row.version, row.digest = None, 2, "sha256:" + "1" * 64
    row.status, row.governed_by, row.governed_at = "governed", cast.author, now
    with pytest.raises(DatabaseError, match="two people or a data steward"), transaction.atomic():
        row.save(force_insert=True)


def test_a_retired_set_stays_retired(cast: Cast, now: datetime) -> None:
    row = datasets.retire(dataset=make_dataset(by=cast.author, now=now), reason=WHY, by=cast.steward, now=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        Dataset.objects.filter(pk=row.pk).update(status="governed", retired_at=None)


@pytest.mark.parametrize("wrong", [{"version": 0}, {"rows": 0}, {"license": ""}, {"purpose": "training"}])
def test_the_database_refuses_a_set_without_a_description(cast: Cast, now: datetime, wrong: dict[str, Any]) -> None:
    row = proposed(cast, now)
    row.pk, row.version, row.digest = None, 2, "sha256:" + "1" * 64
    for name, value in wrong.items():
        setattr(row, name, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


# who sees and uses what


def seen_by(user: User) -> list[str]:
    return sorted(str(row) for row in reads.listed(person=person_of(user)))


def test_everybody_sees_governed_sets_and_a_team_its_own(cast: Cast, now: datetime) -> None:
    make_dataset(by=cast.author, now=now, name="governed")
    own = make_dataset(by=cast.author, now=now, name="own", seed=1, is_governed=False)
    retired = make_dataset(by=cast.author, now=now, name="retired", seed=2, is_governed=False)
    datasets.retire(dataset=retired, reason=WHY, by=cast.steward, now=now)
    every = ["governed@1", "own@1", "retired@1"]
    assert {user.username: seen_by(user) for user in (cast.author, cast.outsider, cast.steward, cast.auditor)} == {
        "author": every,
        "outsider": ["governed@1"],
        "steward": every,
        "auditor": every,
    }
    with pytest.raises(NotFound, match=f"There is no evaluation set {own.pk}"):
        reads.find(dataset_id=own.pk, person=person_of(cast.outsider))
    with pytest.raises(Invalid, match="that you can use"):
        reads.find_usable(digest=own.digest, person=person_of(cast.outsider))
    assert reads.find_usable(digest=own.digest, person=person_of(cast.author)) == own
    with pytest.raises(Invalid):
        reads.find_usable(digest=retired.digest, person=person_of(cast.author))
    assert [str(row) for row in reads.listed(person=person_of(cast.author), status="retired")] == ["retired@1"]
    cast.author.is_active = False
    cast.author.save()
    assert seen_by(cast.author) == []


def test_a_digest_means_the_governed_set_before_ones_own_copy(cast: Cast, now: datetime) -> None:
    own = make_dataset(by=cast.outsider, now=now, name="copy", is_governed=False)
    governed = make_dataset(by=cast.author, now=now)
    assert own.digest == governed.digest
    assert reads.find_usable(digest=own.digest, person=person_of(cast.outsider)) == governed
