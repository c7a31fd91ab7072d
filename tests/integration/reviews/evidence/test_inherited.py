"""A child inherits the answer of an approved parent while nothing denies the parent; no outcome depends on it."""

from datetime import timedelta

import pytest
import yaml
from django.core.files.base import ContentFile

from governance.inventory.actions import inventory
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.rulebook.actions import documents as rulebook
from reviews.authorizations.models import Authorization
from reviews.evidence.queries.snapshot import EvidenceSnapshot
from reviews.packets.queries.packet_parts import checklist_rows
from reviews.snapshots.queries.evidence_bundle import bundle_of
from reviews.snapshots.queries.snapshot import snapshot_of
from reviews.workflow.actions import authorizations, evidence, requests
from tests.factories import requests as walks
from tests.factories.models import onnx_bytes
from tests.factories.policies import LEAN

pytestmark = pytest.mark.django_db
ITEM, TEXT = "owner-and-rollback", walks.ANSWERS["owner-and-rollback"]["text"]
INHERITED = {ITEM: "provenance", "rollback-rehearsed": "license"}
INHERITANCE = {"items": [{"item": item, "statement": statement} for item, statement in INHERITED.items()]}


def publish(now, **section):
    document = yaml.safe_load(LEAN) | ({"inheritance": section} if section else {})
    draft = rulebook.draft_policy(source=yaml.safe_dump(document, sort_keys=False), by=None, now=now)
    return rulebook.publish(version=draft, by=None, now=now + timedelta(seconds=1))


def submitted(cast, now, parent, *, relation="fine_tuned_from", by=None, team="search", slug="child", **changes):
    """A request for a model that was made from the parent."""
    by = by or cast.author
    asset = NewAsset(team=team, slug=slug, name="Child", tier="T1", task="classification", owner=by)
    entry = NewVersion(
        asset=asset,
        version="1",
        upload=ContentFile(onnx_bytes(3), name="model.onnx"),
        lineage=[{"relation": relation, "digest": parent.model_version.digest}],
    )
    version = inventory.register(entry=entry, by=by, now=now)
    return walks.make_submitted(by=by, now=now, version=version, with_data=False, **changes)


def item(request, now):
    return next(row for row in EvidenceSnapshot(request, now).checklist if row.item.id == ITEM)


def test_nothing_is_inherited_without_the_section(decided, cast, now):
    assert not item(submitted(cast, now, decided), now).is_complete


def test_the_answer_is_inherited_with_its_basis(decided, cast, now, as_, api):
    version = publish(now, **INHERITANCE)
    child = submitted(cast, now, decided)
    number = decided.decision.authorization.number
    found = item(child, now)
    assert found.is_complete
    basis = f"{number} (fine tuned from {decided.model_version.digest[7:19]}) under policy {version}: provenance"
    assert found.reason == f"Inherited from {basis}."
    others = [row for row in EvidenceSnapshot(child, now).checklist if row.inherited and row.item.id != ITEM]
    assert others == []
    bundle = bundle_of(snapshot_of(child, now=now))
    assert bundle["inherited"] == [{"item": ITEM, "text": TEXT, "from": basis}]
    (row,) = [row for row in checklist_rows(EvidenceSnapshot(child, now)) if row.item_id == ITEM]
    assert row.answer == f"{TEXT}\nInherited from {basis}."
    page = as_(cast.author).get(f"/requests/{child.ref}/checklist/").content.decode()
    assert f"Inherited from {basis}" in page
    policy = as_(cast.author).get(f"/rulebook/policies/{version.name}/{version.number}/").content.decode()
    assert f"{ITEM} (provenance)," in policy
    answer = api(cast.author).get(f"/api/v1/requests/{child.ref}/checklist/").json()
    (shown,) = [row for row in answer if row["id"] == ITEM]
    assert (shown["inherited_from"], shown["text"], shown["answered_by"]) == (basis, TEXT, "")


def test_an_own_answer_counts_instead(decided, cast, now):
    publish(now, **INHERITANCE)
    child = submitted(cast, now, decided)
    own = "Another team answers for this one, and it has its own plan."
    evidence.answer_item(request=child, item_id=ITEM, text=own, by=cast.author, now=now)
    assert (item(child, now).inherited, item(child, now).is_complete) == (None, True)


@pytest.mark.parametrize("how", ["revoked", "expired", "suspended"])
def test_the_inheritance_ends_with_the_approval_of_the_parent(decided, cast, now, how):
    publish(now, **INHERITANCE)
    child = submitted(cast, now, decided)
    row = Authorization.objects.get()
    moment = now
    if how == "revoked":
        authorizations.revoke(authorization=row, reason="It fails.", by=cast.approver, now=now)
    elif how == "expired":
        moment = row.expires_at
    else:
        due = now.date()
        authorizations.add_condition(
            authorization=row, text="Do it.", owner=cast.author, due_on=due, by=cast.approver, now=now
        )
        moment = now + timedelta(days=2)
    assert not item(child, moment).is_complete


def test_a_revoked_parent_makes_the_frozen_evidence_another_one(decided, cast, now):
    publish(now, **INHERITANCE)
    child = submitted(cast, now, decided)
    before = bundle_of(snapshot_of(child, now=now))
    authorizations.revoke(authorization=Authorization.objects.get(), reason="It fails.", by=cast.approver, now=now)
    assert bundle_of(snapshot_of(child, now=now)) != before


def test_another_team_environment_or_relation_inherits_nothing(decided, cast, now):
    publish(now, **INHERITANCE)
    theirs = submitted(cast, now, decided, by=cast.outsider, team="ads", slug="theirs")
    assert not item(theirs, now).is_complete
    staging = submitted(cast, now, decided, environment="staging", purpose="Staging")
    assert all(row.inherited is None for row in EvidenceSnapshot(staging, now).checklist)
    trained = submitted(cast, now, decided, relation="trained_on", slug="trained", purpose="Trained")
    assert not item(trained, now).is_complete


def test_no_outcome_depends_on_the_parent(decided, cast, now):
    """The evaluation with the parent is the one without it, also where the child measured nothing."""
    publish(now, **INHERITANCE)
    child = submitted(cast, now, decided)
    having = EvidenceSnapshot(child, now)
    assert having.inherited
    with_parent = (having.policy_evaluation, having.stages, having.metric_values)
    authorizations.revoke(authorization=Authorization.objects.get(), reason="It fails.", by=cast.approver, now=now)
    without = EvidenceSnapshot(child, now)
    assert not without.inherited
    assert (without.policy_evaluation, without.stages, without.metric_values) == with_parent


def test_a_draft_inherits_nothing(decided, cast, now):
    publish(now, **INHERITANCE)
    draft = walks.make_draft(by=cast.author, now=now, version=submitted(cast, now, decided).model_version, purpose="B")
    assert EvidenceSnapshot(draft, now).inherited == ()
    requests.withdraw(request=draft, reason="Not needed.", by=cast.author, now=now)
