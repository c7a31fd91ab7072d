"""Filing: drafts with everything new at once, errors beside the field, and nothing half saved."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from benchmarking.runs.models import Dataset
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelAsset, ModelVersion
from reviews.evidence.domain.plausibility import PEERS_MIN
from reviews.evidence.models import MetricRecord
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.models import make_dataset, make_version, npz_bytes, onnx_bytes
from tests.factories.people import Cast
from tests.integration.reviews.requests.reading import enter, page_of, said, words
from tests.pages import html_of

pytestmark = pytest.mark.django_db


def answers(**changes: Any) -> dict[str, Any]:
    return {
        "title": "Visual search",
        "purpose": "Find products",
        "environment": "prod",
        "business_case": "Raises conversion by 1.5 %.",
        "artifact": "registered",
        "evaluation": "none",
        "then": "keep",
    } | changes


def upload(content: bytes | None = None, name: str = "model.onnx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, onnx_bytes() if content is None else content)


def new_model(author: User, **changes: Any) -> dict[str, Any]:
    fields = {
        "artifact": "upload",
        "asset": "",
        "name": "Visual search",
        "slug": "",
        "team": "search",
        "tier": "T1",
        "task": "classification",
        "owner": author.pk,
        "version": "1.0.0",
        "file": upload(),
    }
    return answers(**(fields | changes))


def test_an_empty_form_is_refused_field_by_field(author: User) -> None:
    page = enter(author).post("/requests/new/", {"artifact": "registered", "evaluation": "upload"})
    assert page.status_code == 400
    assert sorted(page.context["form"].errors) == [
        "business_case",
        "dataset_file",
        "dataset_license",
        "dataset_name",
        "environment",
        "model_version",
        "purpose",
        "title",
    ]
    assert ReviewRequest.objects.count() == 0


def test_a_draft_of_a_registered_version(version: ModelVersion, author: User, now: datetime) -> None:
    data = make_dataset(by=author, now=now)
    page = enter(author).post(
        "/requests/new/",
        answers(
            model_version=version.pk,
            evaluation="registered",
            dataset=data.pk,
            training_gpu_hours="320",
            training_gpu_hours_source="training log",
            latency_p95_ms="1.2",
            latency_p95_ms_basis="estimated",
        ),
        follow=True,
    )
    request = ReviewRequest.objects.get()
    assert page.redirect_chain == [(page_of(request), 302)]
    assert said(page) == [f"{request.ref} is saved as a draft."]
    assert (request.state, request.model_version, request.dataset, request.requester) == (
        "draft",
        version,
        data,
        author,
    )
    assert [
        (metric.name, str(metric.value.normalize()), metric.basis, metric.source)
        for metric in MetricRecord.objects.order_by("pk")
    ] == [
        ("training_gpu_hours", "3.2E+2", "declared", "training log"),
        ("latency_p95_ms", "1.2", "estimated", ""),
    ]


def test_everything_new_at_once(author: User) -> None:
    enter(author).post(
        "/requests/new/",
        new_model(
            author,
            evaluation="upload",
            dataset_name="held-out",
            dataset_license="MIT",
            dataset_file=upload(npz_bytes(), "test.npz"),
        ),
    )
    request = ReviewRequest.objects.get()
    asset = request.model_version.asset
    assert (asset.slug, asset.name, asset.tier, asset.owner, asset.team.slug) == (
        "visual-search",
        "Visual search",
        "T1",
        author,
        "search",
    )
    assert (request.model_version.version, request.model_version.format) == ("1.0.0", "onnx")
    assert request.dataset is not None
    assert request.dataset.name == "held-out"


CARD = b"---\nbase_model: org/resnet@1\ndatasets: [shop-photos]\n---\n# Visual search\n"


def test_the_lineage_comes_from_a_model_card(author: User) -> None:
    enter(author).post("/requests/new/", new_model(author, lineage_file=upload(CARD, "README.md")))
    assert ReviewRequest.objects.get().model_version.lineage == [
        {"relation": "base_model", "name": "org/resnet", "version": "1"},
        {"relation": "trained_on", "name": "shop-photos", "version": "unknown"},
    ]


def test_a_further_version_of_a_known_model(version: ModelVersion, author: User) -> None:
    enter(author).post(
        "/requests/new/",
        answers(artifact="upload", asset=version.asset_id, version="2.0.0", file=upload(onnx_bytes(seed=7))),
    )
    request = ReviewRequest.objects.get()
    assert (request.model_version.asset, request.model_version.version) == (version.asset, "2.0.0")


def test_a_file_that_lies_elsewhere(author: User) -> None:
    digest = "sha256:" + "a" * 64
    enter(author).post(
        "/requests/new/", new_model(author, artifact="reference", uri="s3://models/visual.onnx", sha256=digest)
    )
    version = ReviewRequest.objects.get().model_version
    assert (version.uri, version.digest, version.stored_as) == ("s3://models/visual.onnx", digest, "")


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"file": upload(b"\x80\x05 pickle", "model.pkl")}, "file", "pickle"),
        ({"artifact": "reference", "uri": "s3://x.onnx", "sha256": "md5:1"}, "sha256", "sha256: followed by 64"),
        ({"lineage_file": upload(b"# No metadata", "README.md")}, "lineage_file", "not valid JSON"),
        (
            {"lineage_file": upload(CARD, "README.md"), "lineage": "base_model: a@1"},
            "lineage_file",
            "or choose a file; not both",
        ),
        ({"version": ""}, "version", "Give the version a name"),
        ({"name": "", "owner": ""}, "name", "Give the model a name."),
        ({"training_gpu_hours": "-3"}, "training_gpu_hours", "cannot be below 0"),
        ({"accuracy": "93"}, "accuracy", "cannot be above 1"),
        (
            {
                "evaluation": "upload",
                "dataset_name": "x",
                "dataset_license": "MIT",
                "dataset_file": upload(b"no zip", "x.npz"),
            },
            "dataset_file",
            ".npz",
        ),
    ],
)
def test_a_refusal_stands_beside_its_field_and_saves_nothing(
    author: User, changes: dict[str, Any], field: str, reason: str
) -> None:
    events = AuditEvent.objects.count()
    page = enter(author).post("/requests/new/", new_model(author, **changes))
    assert page.status_code == 400
    errors = page.context["metric_values"].errors | page.context["form"].errors
    assert any(reason in text for text in (errors[field]))
    assert 'value="Visual search"' in html_of(page)
    assert (ReviewRequest.objects.count(), ModelAsset.objects.count(), MetricRecord.objects.count()) == (0, 0, 0)
    assert AuditEvent.objects.count() == events
    assert "choose the file again" in words(page)


def test_a_short_name_in_use_is_not_overwritten(version: ModelVersion, author: User, cast: Cast) -> None:
    page = enter(author).post("/requests/new/", new_model(author, name="Visual search", tier="T3"))
    assert list(page.context["form"].errors) == ["slug"]
    version.asset.refresh_from_db()
    assert version.asset.tier == "T1"


def test_one_open_request_per_version_and_purpose(version: ModelVersion, author: User) -> None:
    client = enter(author)
    client.post("/requests/new/", answers(model_version=version.pk))
    page = client.post("/requests/new/", answers(model_version=version.pk))
    assert (page.status_code, list(page.context["form"].errors)) == (409, ["model_version"])
    assert ReviewRequest.objects.count() == 1


@pytest.mark.parametrize("who", ["reviewer_one", "approver", "finance", "admin", "auditor"])
def test_only_requesters_file(cast: Cast, who: str) -> None:
    page = enter(getattr(cast, who)).get("/requests/new/")
    assert page.status_code == 403
    assert "Only a requester may register data and file requests." in words(page)


def test_other_teams_versions_are_no_choice(version: ModelVersion, cast: Cast) -> None:
    page = enter(cast.outsider).post("/requests/new/", answers(model_version=version.pk))
    assert list(page.context["form"].errors) == ["model_version"]
    assert ReviewRequest.objects.count() == 0


def test_without_versions_the_form_begins_with_an_upload(author: User) -> None:
    assert enter(author).get("/requests/new/").context["form"]["artifact"].value() == "upload"


def test_a_draft_is_edited_as_it_stands(draft: ReviewRequest, author: User) -> None:
    client = enter(author)
    page = client.get(f"{page_of(draft)}edit/")
    form, metric_values = page.context["form"], page.context["metric_values"]
    assert (form["title"].value(), form["dataset"].value()) == (draft.title, draft.dataset_id)
    assert metric_values["training_gpu_hours"].value() == "320"
    client.post(
        f"{page_of(draft)}edit/",
        answers(
            title="Visual search, winter",
            model_version=draft.model_version_id,
            training_cost_usd="9600",
            training_cost_usd_source="training log",
            training_gpu_hours="300",
            inference_cost_1y_usd="20400",
            inference_cost_1y_usd_source="training log",
            total_cost_1y_usd="30000",
            total_cost_1y_usd_source="training log",
            business_kpi_delta="0.015",
            business_kpi_delta_source="training log",
        ),
    )
    draft.refresh_from_db()
    assert (draft.title, draft.dataset) == ("Visual search, winter", None)
    # One metric value changed, so one is stated; the four that stayed are not stated again.
    assert draft.metric_records.count() == 6
    assert draft.metric_records.filter(name="training_gpu_hours").count() == 2


def test_a_stated_metric_value_cannot_be_cleared_away(draft: ReviewRequest, author: User) -> None:
    page = enter(author).post(f"{page_of(draft)}edit/", answers(model_version=draft.model_version_id))
    assert page.status_code == 400
    assert page.context["metric_values"].errors["training_gpu_hours"] == [
        "A stated metric value stays on record; correct it instead of clearing it."
    ]
    draft.refresh_from_db()
    assert draft.title == "Visual search, autumn model"


def test_only_drafts_are_edited(submitted: ReviewRequest, author: User) -> None:
    page = enter(author).get(f"{page_of(submitted)}edit/", follow=True)
    assert page.redirect_chain == [(page_of(submitted), 302)]
    assert said(page) == ["The request is gathering evidence; only a draft can be edited."]


def test_only_the_team_edits(draft: ReviewRequest, cast: Cast) -> None:
    assert enter(cast.reviewer_one).get(f"{page_of(draft)}edit/").status_code == 403
    assert enter(cast.outsider).get(f"{page_of(draft)}edit/").status_code == 404


def test_data_is_registered_once(author: User, now: datetime) -> None:
    make_dataset(by=author, now=now)
    enter(author).post(
        "/requests/new/",
        new_model(
            author,
            evaluation="upload",
            dataset_name="held-out",
            dataset_license="MIT",
            dataset_file=upload(npz_bytes(), "again.npz"),
        ),
    )
    assert Dataset.objects.count() == 1
    assert ReviewRequest.objects.get().purpose != walks.PURPOSE


def test_other_candidates_are_chosen_kept_and_shown(version: ModelVersion, author: User, now: datetime) -> None:
    data, rival = make_dataset(by=author, now=now), make_version(by=author, now=now, version="ResNet", seed=5)
    given = answers(model_version=version.pk, evaluation="registered", dataset=data.pk, rivals=[rival.pk])
    page = enter(author).post("/requests/new/", given, follow=True)
    request = ReviewRequest.objects.get()
    assert list(request.rivals.all()) == [rival]
    assert "Alternatives considered Visual search ResNet" in words(page)
    form = enter(author).get(f"{page_of(request)}edit/").context["form"]
    assert form["rivals"].value() == [rival.pk]
    refused = enter(author).post(f"{page_of(request)}edit/", given | {"rivals": [version.pk]})
    assert refused.context["form"].errors["rivals"] == [
        "Each candidate must be a different file: choose none twice, and not the model itself."
    ]
    assert list(request.rivals.all()) == [rival]


def test_each_slip_is_confirmed_beside_its_own_question(version: ModelVersion, author: User, now: datetime) -> None:
    for number in range(PEERS_MIN):
        walks.make_draft(by=author, now=now, purpose=f"Other purpose {number}", version=version)
    filled = answers(model_version=version.pk, business_kpi_delta="2", training_cost_usd="900001")
    filled |= {"accuracy": "1.5"}
    client = enter(author)
    assert "The value is right" not in html_of(client.post("/requests/new/", filled)), "nothing is asked yet"
    filled |= {"accuracy": "0.9"}
    for name in ("training_cost_usd", "business_kpi_delta"):
        page = client.post("/requests/new/", filled)
        assert page.status_code == 400
        assert [*page.context["metric_values"].errors] == [name]
        assert f'name="{name}_confirmed"' in html_of(page)
        filled |= {f"{name}_confirmed": "on"}
    assert client.post("/requests/new/", filled).status_code == 302
    stated = AuditEvent.objects.filter(kind="metric_value.stated").order_by("pk")
    asked = {row.details["name"] for row in stated if "is_confirmed" in row.details}
    assert asked == {"training_cost_usd", "business_kpi_delta"}, "what nobody asked about is not confirmed"
