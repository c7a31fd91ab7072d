"""Pages of evaluation sets: the list, the form, one version and its steps."""

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from benchmarking.runs.models import Dataset
from governance.people.approvals.models import Change
from tests.factories.models import make_dataset, npz_bytes
from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, words

pytestmark = pytest.mark.django_db
WHY = "The team holds these rows back."


def form(**changes: Any) -> dict[str, Any]:
    file = SimpleUploadedFile("test.npz", npz_bytes())
    fields = {"team": "search", "name": "held-out", "license": "MIT", "purpose": "acceptance", "file": file}
    return fields | changes


def test_the_list_is_empty_and_says_what_to_do(cast: Cast) -> None:
    page = enter(cast.author).get("/datasets/")
    assert "No evaluation sets yet" in words(page)
    assert "Register data" in words(page)
    assert "Register data" not in words(enter(cast.auditor).get("/datasets/"))
    assert "No evaluation set has this status" in words(enter(cast.author).get("/datasets/?status=retired"))
    assert enter(cast.author).get("/datasets/?status=unknown").status_code == 200


def test_the_list_shows_what_the_reader_may_see(cast: Cast, now: datetime) -> None:
    make_dataset(by=cast.author, now=now, name="open to all")
    own = make_dataset(by=cast.author, now=now, name="our own", seed=1, is_governed=False)
    page = words(enter(cast.author).get("/datasets/"))
    assert "open to all@1 Governed Search acceptance internal 32 3" in page
    assert "our own@1 Proposed" in page
    stranger = enter(cast.outsider)
    assert "our own" not in words(stranger.get("/datasets/"))
    assert stranger.get(f"/datasets/{own.pk}/").status_code == 404
    assert stranger.post(f"/datasets/{own.pk}/propose/", {"reason": WHY}).status_code == 404
    assert stranger.post(f"/datasets/{own.pk}/retire/", {"reason": WHY}).status_code == 404


def test_a_requester_registers_a_set(cast: Cast) -> None:
    client = enter(cast.author)
    assert "is_governed" not in client.get("/datasets/new/").context["form"].fields
    answer = client.post("/datasets/new/", form())
    row = Dataset.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/datasets/{row.pk}/")
    page = words(client.get(answer["Location"]))
    for part in ("held-out@1 Proposed", "License MIT", "32 rows", "declared, not measured", "Propose to govern it"):
        assert part in page
    for name, count in row.class_balance.items():
        assert f"{name} {count} " in page


def test_a_data_steward_registers_a_governed_set(cast: Cast) -> None:
    enter(cast.steward).post("/datasets/new/", form(team="ads", is_governed="on"))
    assert (Dataset.objects.get().status, Dataset.objects.get().team.slug) == ("governed", "ads")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"file": SimpleUploadedFile("x.npz", b"no zip")}, "file"),
        ({"name": "a@1"}, "name"),
        ({"team": "ads"}, "team"),
        ({"license": ""}, "license"),
        ({"file": ""}, "file"),
    ],
)
def test_a_refusal_stands_beside_its_field(cast: Cast, changes: dict[str, Any], field: str) -> None:
    client, before = enter(cast.author), snapshot()
    page = client.post("/datasets/new/", form(**changes))
    assert (page.status_code, list(page.context["form"].errors)) == (400, [field])
    assert snapshot() == before


@pytest.mark.parametrize("who", ["auditor", "admin", "reviewer_one"])
def test_others_register_nothing(cast: Cast, who: str) -> None:
    client = enter(getattr(cast, who))
    assert client.get("/datasets/new/").status_code == 403
    assert client.post("/datasets/new/", form()).status_code == 403
    assert not Dataset.objects.exists()


def test_two_people_govern_a_set_on_pages(cast: Cast, now: datetime) -> None:
    row = make_dataset(by=cast.author, now=now, is_governed=False)
    client, steward = enter(cast.author), enter(cast.steward)
    refused = client.post(f"/datasets/{row.pk}/propose/", {"reason": "short"})
    assert (refused.status_code, refused.context["propose_form"]["reason"].value()) == (400, "short")
    assert "Give a reason" in words(refused)
    assert not Change.objects.exists()
    answer = client.post(f"/datasets/{row.pk}/propose/", {"reason": WHY})
    change = Change.objects.get()
    assert answer["Location"] == f"/changes/{change.pk}/"
    assert "proposes to govern this set. Second person: Steward" in words(client.get(f"/datasets/{row.pk}/"))
    assert enter(cast.auditor).get(f"/changes/{change.pk}/").status_code == 200
    assert enter(cast.outsider).get(f"/changes/{change.pk}/").status_code == 404
    page = words(steward.get(f"/changes/{change.pk}/"))
    for part in ("Evaluation set held-out@1", "License internal", "32 rows", "Confirm"):
        assert part in page
    steward.post(f"/changes/{change.pk}/confirm/")
    page = words(client.get(f"/datasets/{row.pk}/"))
    assert "held-out@1 Governed" in page
    assert "Propose to govern it" not in page


def test_a_data_steward_retires_a_set_on_its_page(cast: Cast, now: datetime) -> None:
    row = make_dataset(by=cast.author, now=now)
    assert "Retire it" not in words(enter(cast.author).get(f"/datasets/{row.pk}/"))
    answer = enter(cast.author).post(f"/datasets/{row.pk}/retire/", {"reason": WHY}, follow=True)
    assert "Only a data steward may retire" in words(answer)
    answer = enter(cast.steward).post(f"/datasets/{row.pk}/retire/", {"reason": WHY}, follow=True)
    assert "held-out@1 is retired" in words(answer)
    assert Dataset.objects.get().status == "retired"


def test_a_regression_set_has_no_classes(cast: Cast) -> None:
    import io

    import numpy as np

    stream = io.BytesIO()
    np.savez(stream, x=np.zeros((4, 2), np.float32), y=np.array([0.1, 0.2, 0.3, 0.4]))
    client = enter(cast.author)
    client.post("/datasets/new/", form(file=SimpleUploadedFile("t.npz", stream.getvalue())))
    page = words(client.get(f"/datasets/{Dataset.objects.get().pk}/"))
    assert "numbers of a regression, not classes" in page


def test_the_steward_sees_changes_of_sets_and_no_others(cast: Cast, now: datetime) -> None:
    def seen(user: User) -> int:
        return int(
            enter(user).get("/changes/").status_code == 200
            and "Govern the evaluation set" in words(enter(user).get("/changes/"))
        )

    row = make_dataset(by=cast.author, now=now, is_governed=False)
    enter(cast.author).post(f"/datasets/{row.pk}/propose/", {"reason": WHY})
    assert [seen(user) for user in (cast.author, cast.steward, cast.outsider, cast.approver)] == [1, 1, 0, 1]
