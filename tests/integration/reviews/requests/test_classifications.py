"""The same content under two classifications: the strictest tier judges, and a review is mandatory."""

from datetime import datetime
from itertools import count

import pytest

from governance.audit.models import AuditEvent
from governance.inventory.actions import inventory
from governance.inventory.actions.inventory import NewAsset, NewVersion
from governance.inventory.models import ModelVersion
from governance.rulebook.actions import documents as rulebook
from reviews.previews.queries import previews
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions.screening import CLASSIFIED_OTHERWISE
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.integration.reviews.workflow.worlds import SMALL

pytestmark = pytest.mark.django_db
NUMBERS = count()


def small(version: ModelVersion, cast: Cast, now: datetime) -> ReviewRequest:
    """A request that the policy alone would clear."""
    by = cast.author if version.asset.team.slug == "search" else cast.outsider
    return walks.make_submitted(
        by=by,
        now=now,
        version=version,
        purpose=f"Purpose {next(NUMBERS)}",
        environment="dev",
        declared=SMALL,
        with_data=False,
    )


def registered(cast: Cast, now: datetime, *, like: ModelVersion, **changes: str) -> ModelVersion:
    """The digest of a version once more, as another model."""
    fields = {"team": "search", "slug": "again", "tier": "T3", "task": "classification", "suffix": "onnx"} | changes
    by = cast.author if fields["team"] == "search" else cast.outsider
    uri = f"s3://bucket/model.{fields.pop('suffix')}"
    asset = NewAsset(**fields, name="Again", owner=by)
    return inventory.register(entry=NewVersion(asset=asset, version="1", uri=uri, digest=like.digest), by=by, now=now)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "cleared"),
        ({"team": "ads"}, "cleared"),
        ({"tier": "T1"}, "evidence"),
        ({"task": "ranking"}, "evidence"),
        ({"suffix": "safetensors"}, "evidence"),
        ({"team": "ads", "tier": "T1"}, "evidence"),
    ],
)
def test_another_classification_makes_the_review_mandatory(policy, cast, now, changes, state):
    version = make_version(by=cast.author, tier="T3", now=now)
    other = registered(cast, now, like=version, **changes)
    for each in (version, other):
        request = small(each, cast, now)
        if state == "cleared":
            assert request.state == state
    assert request.state == state
    strictest = changes.get("tier", "T3")
    assert set(ReviewRequest.objects.values_list("tier", flat=True)) == {strictest}
    if state == "evidence":
        event = AuditEvent.objects.filter(kind="request.evidence").earliest("position")
        assert event.reason == CLASSIFIED_OTHERWISE


def test_a_digest_of_another_kind_makes_the_review_mandatory(policy, cast, now):
    """A pipeline is registered as if it were one file, so that its parts are not looked at."""
    parts = [{"role": "find", "subject": {"kind": "file", "format": "onnx", "sha256": "5" * 64}}]
    asset = NewAsset(team="search", slug="p", name="P", tier="T3", task="classification", owner=cast.author)
    entry = NewVersion(asset=asset, version="1", subject={"kind": "pipeline", "parts": parts})
    pipeline = inventory.register(entry=entry, by=cast.author, now=now)
    as_file = registered(cast, now, like=pipeline)
    assert small(as_file, cast, now).state == "evidence"


def test_a_team_with_another_policy_makes_the_review_mandatory(policy, cast, now):
    milder = LEAN.replace("name: default", "name: milder", 1) + "\napplies_to: {teams: [ads]}\n"
    rulebook.publish(version=rulebook.draft_policy(source=milder, by=None, now=now), by=None, now=now)
    version = make_version(by=cast.author, tier="T3", now=now)
    other = registered(cast, now, like=version, team="ads")
    request = small(other, cast, now)
    assert (request.policy.name, request.state) == ("milder", "evidence")


def test_the_strictest_tier_chooses_the_policy(policy, cast, now):
    stricter = LEAN.replace("name: default", "name: stricter", 1) + "\napplies_to: {tiers: [T1]}\n"
    rulebook.publish(version=rulebook.draft_policy(source=stricter, by=None, now=now), by=None, now=now)
    version = make_version(by=cast.outsider, team="ads", tier="T1", now=now)
    other = registered(cast, now, like=version)
    request = small(other, cast, now)
    assert (request.policy.name, request.tier, request.state) == ("stricter", "T1", "evidence")


def test_the_preview_of_a_draft_says_so_before_it_is_submitted(policy, cast, now):
    version = make_version(by=cast.author, tier="T3", now=now)
    draft = walks.make_draft(by=cast.author, version=version, now=now)
    assert previews.CLASSIFIED_OTHERWISE not in previews.preview_of_draft(draft, now=now).mandatory_because
    registered(cast, now, like=version, task="ranking")
    assert previews.CLASSIFIED_OTHERWISE in previews.preview_of_draft(draft, now=now).mandatory_because
