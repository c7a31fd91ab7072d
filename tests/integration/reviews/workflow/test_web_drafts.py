"""Drafts on pages: previewed beside the form, saved by themselves, submitted after one question, never twice."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import PolicyVersion
from reviews.evidence.models import MetricRecord
from reviews.previews.queries.drafts import draft_mark
from reviews.previews.queries.previews import preview_of_draft
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import requests
from tests.factories import requests as walks
from tests.factories.models import make_dataset
from tests.factories.people import Cast
from tests.factories.policies import LEAN
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.integration.reviews.workflow.test_web_filing import answers, new_model
from tests.pages import html_of
from tests.standstill import everything, refused
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
CLAIMS = {
    "training_cost_usd": "9600",
    "training_gpu_hours": "320",
    "inference_cost_1y_usd": "20400",
    "total_cost_1y_usd": "30000",
    "business_kpi_delta": "0.015",
} | dict.fromkeys(
    (f"{name}_source" for name in walks.DECLARED),
    "training log",
)


def as_filed(draft: ReviewRequest, **changes: Any) -> dict[str, Any]:
    """The form of a draft as its page sends it."""
    return (
        answers(
            seen=draft_mark(draft),
            title=draft.title,
            purpose=draft.purpose,
            environment=draft.environment,
            business_case=draft.business_case,
            model_version=draft.model_version_id,
            evaluation="registered" if draft.dataset_id else "none",
            dataset=draft.dataset_id or "",
            **CLAIMS,
        )
        | changes
    )


def autosave(client: Client, draft: ReviewRequest, **changes: Any) -> Any:
    return client.post(f"{page_of(draft)}autosave/", as_filed(draft, **changes))


def test_enter_keeps_a_draft(author: User) -> None:
    html = html_of(enter(author).get("/requests/new/"))
    form = html[html.index('id="filing"') :]
    first = form[form.index('type="submit"') :]
    assert first.index('value="keep"') < first.index('value="check"'), "Enter presses the first button"
    assert 'value="submit"' not in form


def test_saving_to_submit_asks_first(policy: PolicyVersion, version: ModelVersion, author: User) -> None:
    sent = answers(model_version=version.pk, then="check")
    page = enter(author).post("/requests/new/", sent, follow=True)
    draft = ReviewRequest.objects.get()
    assert page.redirect_chain == [(f"{page_of(draft)}submit/", 302)]
    assert draft.state == "draft"
    assert "A ticket is opened." in words(page)
    assert "Benchmarks start: SingleStream" in words(page)
    assert "Technical review: 2 approvals by the role reviewer" in words(page)
    old = enter(author).post(f"{page_of(draft)}edit/", answers(model_version=version.pk, then="submit"))
    draft.refresh_from_db()
    assert (old.status_code, draft.state) == (302, "draft")


def test_the_question_is_answered_once(policy: PolicyVersion, draft: ReviewRequest, author: User) -> None:
    client, path = enter(author), f"{page_of(draft)}submit/"
    assert "What happens next" in words(client.post(path))
    draft.refresh_from_db()
    assert draft.state == "draft", "a POST without the answer asks"
    seen = client.get(path).context["panel"].preview.digest
    done = client.post(path, {"seen": seen}, follow=True)
    assert said(done)[0].startswith("Submitted. A review is mandatory")
    before = everything()
    again = client.post(path, {"seen": seen}, follow=True)
    assert again.redirect_chain == [(page_of(draft), 302)]
    assert "offers no step “submit”" in said(again)[0]
    assert AuditEvent.objects.filter(kind="request.policy_evaluated").count() == 1
    assert before == everything()


def test_what_changed_since_the_question_is_asked_again(
    policy: PolicyVersion, draft: ReviewRequest, author: User, now: datetime
) -> None:
    client, path = enter(author), f"{page_of(draft)}submit/"
    seen = preview_of_draft(draft, now=now).digest
    walks.state_metric_value(request=draft, name="training_gpu_hours", value="10", by=author, now=now)
    page = client.post(path, {"seen": seen})
    assert page.status_code == 409
    assert "Nothing was submitted. The draft, the policy or the checklist changed since you looked" in words(page)
    seen = preview_of_draft(draft, now=now).digest
    stricter = LEAN.replace("limit: 200\n", "limit: 5\n")
    rulebook.publish(version=rulebook.draft_policy(source=stricter, by=None, now=now), by=None, now=now)
    with refused(WrongState, code="outdated"):
        requests.submit(request=draft, seen=seen, by=author, now=now)
    requests.submit(request=draft, seen=preview_of_draft(draft, now=now).digest, by=author, now=now)


def test_a_submission_in_the_meantime_is_said(
    policy: PolicyVersion, draft: ReviewRequest, author: User, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, real = preview_of_draft(draft, now=now).digest, requests.submit

    def second(**given: Any) -> ReviewRequest:
        real(request=draft, by=author, now=now)
        return real(**given)

    monkeypatch.setattr(requests, "submit", second)
    page = enter(author).post(f"{page_of(draft)}submit/", {"seen": seen}, follow=True)
    assert page.redirect_chain == [(page_of(draft), 302)]
    assert "offers no step" in said(page)[0]


def test_without_a_policy_nothing_can_be_submitted(draft: ReviewRequest, author: User) -> None:
    page = enter(author).get(f"{page_of(draft)}submit/")
    assert "No policy is published yet" in words(page)
    assert "Submit the request" not in words(page)
    assert "No policy is published yet" in words(enter(author).get(page_of(draft)))


def test_only_the_team_is_asked(policy: PolicyVersion, draft: ReviewRequest, cast: Cast) -> None:
    before = everything()
    for person, status in ((cast.reviewer_one, 403), (cast.outsider, 404)):
        client = enter(person)
        assert client.get(f"{page_of(draft)}submit/").status_code == status
        assert client.post(f"{page_of(draft)}submit/", {"seen": "sha256:x"}).status_code == status
        assert autosave(client, draft, title="Mine now").status_code == status
    assert everything()["requests_reviewrequest"] == before["requests_reviewrequest"]


def test_a_default_that_leads_into_a_wall_is_said_before(
    policy: PolicyVersion, version: ModelVersion, author: User, now: datetime
) -> None:
    sent = answers(model_version=version.pk, training_gpu_hours="320", seen="")
    page = enter(author).post("/requests/new/autosave/", sent | {"title": ""})
    shown = words(page)
    assert "The review could not start as things stand." in shown
    assert "Accuracy: a value that is measured or stronger, with at least 500 samples is wanted" in shown
    assert "What helps: choose evaluation data" in shown
    assert "Training GPU hours is 320" in shown
    data = make_dataset(by=author, now=now)
    better = sent | {"evaluation": "registered", "dataset": data.pk}
    assert "The review could not start" not in words(enter(author).post("/requests/new/autosave/", better))


def test_without_javascript_the_page_of_the_draft_says_the_same(
    policy: PolicyVersion, author: User, now: datetime
) -> None:
    draft = walks.make_draft(by=author, now=now, with_data=False)
    assert "The review could not start as things stand." in words(enter(author).get(page_of(draft)))
    assert "The review could not start as things stand." in words(enter(author).get(f"{page_of(draft)}edit/"))


@pytest.mark.parametrize(
    ("artifact", "more", "policy_text"),
    [
        ("upload", {}, "judges this request"),
        ("reference", {"uri": "s3://x/model.onnx"}, "The model lies elsewhere"),
        ("container", {}, "A container cannot be run by our workers"),
        ("upload", {"team": ""}, "Choose what is filed"),
        ("upload", {"environment": ""}, "Choose what is filed"),
        ("registered", {}, "Choose what is filed"),
    ],
)
def test_the_panel_follows_the_form(
    policy: PolicyVersion, author: User, artifact: str, more: dict[str, str], policy_text: str
) -> None:
    sent = new_model(author, artifact=artifact, **more)
    sent.pop("file")
    assert policy_text in words(enter(author).post("/requests/new/autosave/", sent))


def test_the_panel_takes_task_and_tier_of_a_known_model(
    policy: PolicyVersion, version: ModelVersion, author: User
) -> None:
    sent = answers(artifact="upload", asset=version.asset_id, evaluation="upload")
    page = enter(author).post("/requests/new/autosave/", sent)
    assert page.context["panel"].preview.data_doubt.startswith("Quality on a new evaluation set is declared")


def test_a_complete_form_becomes_a_draft_by_itself(version: ModelVersion, author: User) -> None:
    client = enter(author)
    page = client.post("/requests/new/autosave/", answers(model_version=version.pk, title="", training_gpu_hours="9"))
    assert "Not saved. Title: This field is required." in words(page)
    assert ReviewRequest.objects.count() == 0
    page = client.post("/requests/new/autosave/", answers(model_version=version.pk, training_gpu_hours="9"))
    draft = ReviewRequest.objects.get()
    assert page["HX-Replace-Url"] == f"{page_of(draft)}edit/"
    assert f"as {draft.ref}. Metric values are stated when you press a button" in words(page)
    assert f'hx-post="{page_of(draft)}autosave/"' in html_of(page)
    assert draft_mark(draft) in html_of(page)
    assert MetricRecord.objects.count() == 0, "a half-typed value must not stay on record"


def test_what_is_new_is_not_saved_by_itself(author: User) -> None:
    sent = new_model(author)
    sent.pop("file")
    assert "Not saved. New models and files" in words(enter(author).post("/requests/new/autosave/", sent))
    assert ReviewRequest.objects.count() == 0


def test_a_draft_saves_its_changes(draft: ReviewRequest, author: User) -> None:
    page = autosave(enter(author), draft, title="Visual search, winter")
    assert "Saved at" in words(page)
    draft.refresh_from_db()
    assert draft.title == "Visual search, winter"
    count = AuditEvent.objects.count()
    autosave(enter(author), draft)
    assert AuditEvent.objects.count() == count, "nothing changed, so nothing is recorded"


def test_two_windows_do_not_overwrite_each_other(draft: ReviewRequest, author: User) -> None:
    client, old = enter(author), as_filed(draft)
    autosave(client, draft, title="From the first window")
    page = client.post(f"{page_of(draft)}autosave/", old | {"title": "From the second window"})
    assert "Not saved. The draft was changed since you opened this page" in words(page)
    assert client.post(f"{page_of(draft)}edit/", old | {"title": "From the second window"}).status_code == 409
    draft.refresh_from_db()
    assert draft.title == "From the first window"
    sent_twice = old | {"title": "From the first window", "training_gpu_hours": "300"}
    assert client.post(f"{page_of(draft)}edit/", sent_twice).status_code == 302, "the same again overwrites nothing"
    assert MetricRecord.objects.filter(name="training_gpu_hours").count() == 2
    stale = old | {"title": "From the first window", "training_gpu_hours": "10"}
    assert client.post(f"{page_of(draft)}edit/", stale).status_code == 409
    assert MetricRecord.objects.filter(name="training_gpu_hours").count() == 2


def test_a_submitted_request_is_not_saved_any_more(submitted: ReviewRequest, author: User) -> None:
    before = everything()
    assert "only a draft can be edited" in words(autosave(enter(author), submitted, title="Too late"))
    assert everything()["requests_reviewrequest"] == before["requests_reviewrequest"]
