"""The model inventory: versions are named by content, pickles stay outside, and a version never changes what it is."""

import pickle
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.inventory.actions import inventory
from governance.inventory.models import ModelAsset, ModelVersion
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.approvals.queries import confirmers, listed
from governance.people.domain.roles import Role
from governance.people.models import Team
from governance.people.queries.people import person_of
from tests.factories.models import make_version, onnx_bytes
from tests.factories.people import Cast, make_person, make_team
from tests.refusals import has_code
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, NotFound

DIGEST = "sha256:" + "ab" * 32


def register(by: User, now: datetime, *, owner: User | None = None, **changes: str) -> ModelAsset:
    fields = {"team": "search", "slug": "ranker", "name": "Ranker", "tier": "T2", "task": "ranking"} | changes
    return inventory.register_asset(owner=owner or by, by=by, now=now, **fields)


def upload(
    asset: ModelAsset,
    by: User,
    now: datetime,
    *,
    content: bytes = b"",
    name: str = "model.onnx",
    version: str = "1.0.0",
) -> ModelVersion:
    file = ContentFile(content or onnx_bytes(), name=name)
    return inventory.register(entry=inventory.NewVersion(asset=asset, version=version, upload=file), by=by, now=now)


def refer(
    asset: ModelAsset, by: User, now: datetime, *, uri: str = "s3://b/m.onnx", digest: str = DIGEST, version: str = "2"
) -> ModelVersion:
    entry = inventory.NewVersion(asset=asset, version=version, uri=uri, digest=digest)
    return inventory.register(entry=entry, by=by, now=now)


def counts() -> tuple[int, int, int]:
    return ModelAsset.objects.count(), ModelVersion.objects.count(), AuditEvent.objects.count()


def test_a_model_is_entered_once_and_brought_up_to_date(cast: Cast, now: datetime) -> None:
    asset = register(cast.author, now)
    event = AuditEvent.objects.latest("position")
    after = {"name": "Ranker", "tier": "T2", "task": "ranking", "owner": "author"}
    assert (event.kind, event.subject, event.details) == (
        "model.registered",
        "search/ranker",
        {"before": None, "after": after},
    )
    before = counts()
    assert register(cast.author, now) == asset
    assert counts() == before
    changed = register(cast.author, now, name="Ranker II", tier="T1")
    assert (changed.pk, changed.name, changed.tier, changed.owner) == (asset.pk, "Ranker II", "T1", cast.author)
    assert AuditEvent.objects.latest("position").details == {
        "before": after,
        "after": {"name": "Ranker II", "tier": "T1", "task": "ranking", "owner": "author"},
    }
    asset.refresh_from_db()
    assert (asset.name, asset.created_at) == ("Ranker II", now)


def test_another_person_owns_a_model_only_after_accepting(cast: Cast, now: datetime) -> None:
    asset = register(cast.author, now, owner=cast.approver)
    change = Change.objects.get()
    assert (asset.owner, change.kind, change.details) == (
        cast.author,
        "owner",
        {"owner": "approver", "before": "author"},
    )
    assert register(cast.author, now, owner=cast.approver).owner == cast.author
    assert Change.objects.count() == 1
    for person in (cast.author, cast.admin, cast.reviewer_one):
        with pytest.raises(NotAllowed):
            approvals.confirm(change=change, by=person, now=now)
    asset.refresh_from_db()
    assert asset.owner == cast.author
    assert confirmers(change) == [cast.approver]
    approvals.confirm(change=change, by=cast.approver, now=now)
    asset.refresh_from_db()
    assert asset.owner == cast.approver
    event = AuditEvent.objects.filter(kind="model.registered").latest("position")
    assert (event.actor_id, event.details["before"]["owner"], event.details["after"]["owner"]) == (
        str(cast.approver.pk),
        "author",
        "approver",
    )


def test_a_person_named_as_owner_sees_the_change_and_may_refuse_it(cast: Cast, now: datetime) -> None:
    register(cast.author, now, owner=cast.outsider)
    change = Change.objects.get()
    for person in cast.everybody():
        assert listed(person=person_of(person)).filter(pk=change.pk).exists(), "who sees the model sees its change"
    approvals.refuse(change=change, reason="I do not know this model.", by=cast.outsider, now=now)
    assert register(cast.author, now).owner == cast.author


def test_nobody_with_a_closed_account_is_named_owner(cast: Cast, now: datetime) -> None:
    people.close_account(user=cast.outsider, by=None, now=now)
    cast.outsider.refresh_from_db()
    before = counts()
    with pytest.raises(Invalid, match="is closed"):
        register(cast.author, now, owner=cast.outsider)
    assert counts() == before


def test_a_member_of_the_team_takes_a_model_over_at_once(cast: Cast, now: datetime) -> None:
    register(cast.author, now)
    mate = make_person("mate", Role.REQUESTER, team=Team.objects.get(slug="search"), now=now)
    assert register(mate, now).owner == mate
    assert not Change.objects.exists()


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"tier": "T9"}, Invalid, "tier"),
        ({"task": "guessing"}, Invalid, "task"),
        ({"slug": "a b"}, Invalid, "slug"),
        ({"slug": "../up"}, Invalid, "slug"),
        ({"slug": ""}, Invalid, "slug"),
        ({"slug": "x" * 81}, Invalid, "slug"),
    ],
)
def test_a_model_that_cannot_be_entered(
    cast: Cast, now: datetime, changes: dict[str, str], error: type[Exception], field: str
) -> None:
    before = counts()
    with pytest.raises(error) as refusal:
        register(cast.author, now, **changes)
    assert refusal.value.field == field
    assert counts() == before


def test_a_team_that_is_gone_is_named(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "check_act_for_team", lambda person, team: None)
    with pytest.raises(NotFound, match="There is no team 'gone'") as refusal:
        register(cast.author, now, team="gone")
    assert refusal.value.field == "team"


def test_only_requesters_of_the_team_register(cast: Cast, now: datetime) -> None:
    asset = register(cast.author, now)
    before = counts()
    for person in cast.everybody():
        if person == cast.author:
            continue
        for action in (
            partial(register, person, now),
            partial(upload, asset, person, now),
            partial(refer, asset, person, now),
        ):
            with pytest.raises(NotAllowed):
                action()
    assert counts() == before


def test_an_uploaded_version_is_named_by_its_content(cast: Cast, now: datetime) -> None:
    import hashlib

    asset = register(cast.author, now)
    version = upload(asset, cast.author, now)
    digest = hashlib.sha256(onnx_bytes()).hexdigest()
    assert (version.digest, version.format, version.uri) == (f"sha256:{digest}", "onnx", "")
    assert (version.size_bytes, version.stored_as) == (len(onnx_bytes()), f"sha256/{digest[:2]}/{digest}")
    assert (version.registered_by, version.registered_at) == (cast.author, now)
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject) == ("model.version_registered", "search/ranker")
    assert event.details == {"version": "1.0.0", "kind": "file", "digest": f"sha256:{digest}"}


def test_the_same_content_again_is_the_same_version(cast: Cast, now: datetime) -> None:
    asset = register(cast.author, now)
    assert upload(asset, cast.author, now) == upload(asset, cast.author, now, name="again.onnx")
    assert ModelVersion.objects.count() == 1
    assert AuditEvent.objects.filter(kind="model.version_registered").count() == 1
    assert upload(asset, cast.author, now, version="1.0.1").digest == ModelVersion.objects.first().digest


def test_a_version_keeps_its_content(cast: Cast, now: datetime) -> None:
    asset = register(cast.author, now)
    upload(asset, cast.author, now)
    with pytest.raises(
        Invalid, match=r"already registered with other content\. Give this one a new version"
    ) as refusal:
        upload(asset, cast.author, now, content=onnx_bytes(seed=1))
    assert (refusal.value.code, refusal.value.field) == ("version_taken", "version")
    with pytest.raises(Invalid, check=has_code("version_taken")):
        refer(asset, cast.author, now, version="1.0.0")
    assert ModelVersion.objects.count() == 1


@pytest.mark.parametrize("version", ["", "   ", "\n"])
def test_a_version_has_a_name(cast: Cast, now: datetime, version: str) -> None:
    asset = register(cast.author, now)
    with pytest.raises(Invalid, match=r"Enter the version, for example 1\.4\.0") as refusal:
        upload(asset, cast.author, now, version=version)
    assert refusal.value.field == "version"
    assert not ModelVersion.objects.exists()


@pytest.mark.parametrize("suffix", ["pt", "pth", "pt2", "pkl", "joblib", "ckpt", "onnx"])
def test_pickles_stay_outside_whatever_they_are_called(
    cast: Cast, now: datetime, installation: Path, suffix: str
) -> None:
    asset = register(cast.author, now)
    before = counts()
    with pytest.raises(Invalid, match=r"pickle.*Export the model to ONNX") as refusal:
        upload(asset, cast.author, now, content=pickle.dumps({"a": 1}), name=f"model.{suffix}")
    assert (refusal.value.code, refusal.value.field) == ("unsafe_artifact", "file")
    assert counts() == before
    assert not (installation / "artifacts").exists()


def test_a_version_may_lie_elsewhere(cast: Cast, now: datetime) -> None:
    asset = register(cast.author, now)
    for number, uri in enumerate(("s3://bucket/model.onnx", "https://models.example.org/a.SafeTensors")):
        version = refer(asset, cast.author, now, uri=uri, version=str(number))
        assert (version.uri, version.digest, version.stored_as, version.size_bytes) == (uri, DIGEST, "", None)
        assert version.format == ("onnx", "safetensors")[number]


@pytest.mark.parametrize(
    ("uri", "digest", "field"),
    [
        ("s3://b/m.onnx", "ab" * 32, "sha256"),
        ("s3://b/m.onnx", "sha256:" + "AB" * 32, "sha256"),
        ("s3://b/m.onnx", DIGEST + "\n", "sha256"),
        ("s3://b/m.pkl", DIGEST, "uri"),
        ("file:///etc/m.onnx", DIGEST, "uri"),
        ("/models/m.onnx", DIGEST, "uri"),
        ("s3://b/m", DIGEST, "uri"),
        ("", DIGEST, "uri"),
    ],
)
def test_a_reference_names_a_safe_format_and_its_content(
    cast: Cast, now: datetime, uri: str, digest: str, field: str
) -> None:
    asset = register(cast.author, now)
    before = counts()
    with pytest.raises(Invalid) as refusal:
        refer(asset, cast.author, now, uri=uri, digest=digest)
    assert refusal.value.field == field
    assert counts() == before


def test_the_database_refuses_what_no_action_would_write(cast: Cast, now: datetime) -> None:
    version = make_version(by=cast.author, now=now)
    fields = {
        "asset": version.asset,
        "version": "2",
        "digest": DIGEST,
        "format": "onnx",
        "uri": "s3://b/m.onnx",
        "registered_by": cast.author,
        "registered_at": now,
    }
    for wrong in ({"digest": "md5:1"}, {"digest": DIGEST.upper()}, {"uri": ""}, {"version": "1.0.0"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ModelVersion.objects.create(**fields | wrong)
    with pytest.raises(IntegrityError), transaction.atomic():
        ModelAsset.objects.create(
            team=version.asset.team, slug="visual-search", name="x", owner=cast.author, tier="T1", created_at=now
        )


@pytest.mark.django_db(transaction=True)
def test_many_who_register_at_once_make_one_version(now: datetime) -> None:
    author = make_person("author", Role.REQUESTER, team=make_team(now=now), now=now)

    def one() -> int:
        asset = register(author, now)
        return upload(asset, author, now).pk

    found = together([one] * 6)
    assert set(found) == {ModelVersion.objects.get().pk}
    assert ModelAsset.objects.count() == 1
    assert AuditEvent.objects.filter(kind="model.registered").count() == 1
    assert AuditEvent.objects.filter(kind="model.version_registered").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_claim_one_version_for_other_content_one_wins(now: datetime) -> None:
    author = make_person("author", Role.REQUESTER, team=make_team(now=now), now=now)
    asset = register(author, now)
    works = [partial(upload, asset, author, now, content=onnx_bytes(seed=seed)) for seed in range(6)]
    found = together(works)
    won = [each for each in found if isinstance(each, ModelVersion)]
    lost = [each for each in found if isinstance(each, Invalid)]
    assert (len(won), len(lost), {each.code for each in lost}) == (1, 5, {"version_taken"})
    assert ModelVersion.objects.get() == won[0]
    assert Team.objects.count() == 1
