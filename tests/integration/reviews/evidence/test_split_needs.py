"""One need split over several requests for one artifact is judged on its sum, whoever files them."""

from copy import copy

import pytest

from governance.audit.models import AuditEvent
from governance.people.domain.roles import Role
from reviews.evidence.queries.claims_on_record import cleared_needs
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests
from tests.factories import requests as walks
from tests.factories.models import make_version
from tests.factories.people import make_person, make_team
from tests.integration.reviews.workflow.worlds import World
from tests.threads import together


def costs(usd: int) -> dict[str, str]:
    return {"training_gpu_hours": "10", "training_cost_usd": "0", "inference_cost_1y_usd": str(usd)}


def filed(
    world: World, purpose: str, usd: int, *, slug: str = "visual-search", environment: str = "staging"
) -> ReviewRequest:
    version = make_version(by=world.cast.author, owner=world.owner, now=world.now, slug=slug)
    return walks.make_draft(
        by=world.cast.author,
        now=world.now,
        version=version,
        purpose=purpose,
        environment=environment,
        declared=costs(usd),
    )


def submitted(world: World, purpose: str, usd: int, **more: str) -> ReviewRequest:
    return requests.submit(request=filed(world, purpose, usd, **more), by=world.cast.author, now=world.now)


def reason_of(request: ReviewRequest) -> str:
    return AuditEvent.objects.get(kind="request.evidence", subject=request.ref).reason


@pytest.mark.parametrize(
    ("second", "usd", "state"),
    [
        ({"purpose": "Chat, US"}, 40_000, "evidence"),
        ({"purpose": "Chat, US"}, 10_001, "evidence"),
        ({"purpose": "Chat, US"}, 10_000, "cleared"),  # exactly the limit
        ({"purpose": "Chat, US", "environment": "dev"}, 40_000, "cleared"),
        ({"purpose": "Chat, US", "slug": "second-asset"}, 40_000, "evidence"),
        ({"purpose": "Chat, EU", "slug": "second-asset"}, 40_000, "evidence"),
    ],
)
def test_a_second_request_for_the_artifact_is_judged_on_the_sum(
    world: World, second: dict[str, str], usd: int, state: str
) -> None:
    first = submitted(world, "Chat, EU", 40_000)
    assert first.state == "cleared"
    draft = filed(world, usd=usd, **second)
    preview = preview_of_draft(draft, now=world.now)
    request = requests.submit(request=draft, by=world.cast.author, now=world.now)
    first.refresh_from_db()
    assert (first.state, request.state) == ("cleared", state)
    assert request.policy_evaluations.get().outcome == "cleared"  # by itself, no rule fires
    if state == "evidence":
        sentence = (
            f"With {first.ref}, which is cleared for the same artifact in staging: Total cost 1 year is "
            f"{40_000 + usd:,} USD (declared, added up); the policy asks for at most 50,000 USD."
        )
        assert (reason_of(request), preview.mandatory_because) == (sentence, (sentence,))
        assert request.review_opened_at == world.now
    else:
        assert preview.mandatory_because == ()


@pytest.mark.parametrize("ended", [{"state": "expired"}, {"state": "withdrawn"}, {"deadline": True}])
def test_ended_clearances_add_nothing(world: World, ended: dict[str, object]) -> None:
    first = submitted(world, "Chat, EU", 40_000)
    changes = {"deadline_at": world.now, "grace_ends_at": world.now} if "deadline" in ended else ended
    ReviewRequest.objects.filter(pk=first.pk).update(**changes)
    assert submitted(world, "Chat, US", 40_000).state == "cleared"


def test_the_renewal_of_a_need_does_not_add_to_it(world: World) -> None:
    first = submitted(world, "Chat, EU", 40_000)
    assert cleared_needs(first, now=world.now) == ()
    again = copy(first)
    again.pk = None
    assert cleared_needs(again, now=world.now) == ()
    again.purpose = "Chat, US"
    assert [each.ref for each in cleared_needs(again, now=world.now)] == [first.ref]


def test_the_request_of_another_team_is_counted_and_not_named(world: World) -> None:
    first = submitted(world, "Chat, EU", 40_000)
    team = make_team(slug="ads", now=world.now)
    stranger = make_person("ads.author", Role.REQUESTER, team=team, now=world.now)
    version = make_version(by=stranger, now=world.now, team="ads")
    draft = walks.make_draft(
        by=stranger,
        now=world.now,
        version=version,
        purpose="Ads",
        environment="staging",
        declared=costs(40_000),
        with_data=False,
    )
    request = requests.submit(request=draft, by=stranger, now=world.now)
    assert request.state == "evidence"
    assert "With a request of another team, which is cleared" in reason_of(request)
    assert first.ref not in reason_of(request)


@pytest.mark.django_db(transaction=True)
def test_of_two_submissions_at_once_one_is_cleared(world: World) -> None:
    drafts = [filed(world, purpose, 40_000) for purpose in ("Chat, EU", "Chat, US")]
    works = [lambda row=row: requests.submit(request=row, by=world.cast.author, now=world.now) for row in drafts]
    together(works)
    assert sorted(ReviewRequest.objects.values_list("state", flat=True)) == ["cleared", "evidence"]
