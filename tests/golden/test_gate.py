"""What the gate answers for an artifact in each standing it may have."""

import json
from base64 import b64decode
from datetime import timedelta
from typing import Any

from reviews.authorizations.models import Authorization
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import authorizations as authorizations
from reviews.workflow.actions import requests
from tests.golden.conftest import Story
from tests.golden.golden import check_document
from tests.integration.reviews.packets.packet_journey import ARTIFACT
from tests.integration.reviews.requests.reading import enter
from weighbridge.core.metrics.basis import Basis

DAY = timedelta(days=1)


def ask(story: Story, *, subject: str = ARTIFACT, env: str = "prod") -> dict[str, Any]:
    """The answer of the API with the signed statements in plain words."""
    answer = enter(story.rita).get("/api/v1/gate/", {"subject": subject, "env": env}).json()
    if answer["statement"]:
        answer["signed"] = json.loads(b64decode(answer["statement"]["payload"]))
    answer["summary"] = json.loads(b64decode(answer["summary"]["payload"]))
    return answer


def test_of_an_authorization_from_its_first_day_to_its_end(story: Story) -> None:
    story.decided()
    table = {"authorized": ask(story), "elsewhere": ask(story, env="dev")}
    table["of another artifact"] = ask(story, subject="sha256:" + "0" * 64)
    held = Authorization.objects.get()
    for name, at in (
        ("a condition overdue", held.issued_at + 100 * DAY),
        ("a condition kept, warned of its end", held.warn_at),
        ("over", held.expires_at),
    ):
        story.now = at
        if name.startswith("a condition kept"):
            condition = held.conditions.get()
            authorizations.confirm_condition(condition=condition, by=story.lea, now=at)
        authorizations.expire_due(now=at)
        table[name] = ask(story)
    check_document("gate/authorized.json", table)


def test_of_a_revoked_authorization(story: Story) -> None:
    story.decided()
    held = Authorization.objects.get()
    authorizations.revoke(authorization=held, reason="It leaks.", by=story.lea, now=story._tick())
    check_document("gate/revoked.json", ask(story))


def test_of_requests_on_their_way_and_at_their_end(story: Story) -> None:
    request = story.drafted()
    table = {"draft": ask(story)}
    request = story.submitted(request)
    table["in evidence"] = ask(story)
    requests.withdraw(request=request, reason="Another model.", by=story.rita, now=story._tick())
    table["withdrawn"] = ask(story)
    check_document("gate/under_way.json", table)


def test_of_a_rejected_artifact(story: Story) -> None:
    story.voted(story.in_review(), story.anne, VoteChoice.REJECT, words="Too slow for the desk.")
    check_document("gate/rejected.json", ask(story))


def test_of_what_the_policy_cleared(story: Story) -> None:
    request = story.filed(environment="dev")
    for name in ("training_gpu_hours", "training_cost_usd", "total_cost_1y_usd"):
        story.state(request, name, "5", Basis.DECLARED)
    request = story.submitted(request)
    table = {"cleared": ask(story, env="dev"), "cleared for dev alone": ask(story)}
    story.now = request.deadline_at
    table["over"] = ask(story, env="dev")
    requests.expire(request=request, now=story.now)
    table["expired"] = ask(story, env="dev")
    check_document("gate/cleared.json", table)
