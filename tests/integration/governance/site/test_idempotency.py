"""A POST sent again under its key changes nothing a second time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import URLResolver, get_resolver
from rest_framework.response import Response
from rest_framework.test import APIClient

from governance.audit.models import AuditEvent
from governance.budgets.actions import budgets
from governance.budgets.models import LedgerEntry
from governance.inventory.models import ModelVersion
from governance.site.api.idempotency import IdempotentPosts, user_of
from governance.site.models import AnsweredPost
from tests.factories.models import onnx_bytes
from tests.factories.people import PASSWORD, make_cast
from tests.factories.snapshots import snapshot
from tests.threads import PATIENCE_S, together

Api = Callable[[User | None], APIClient]
ALLOCATION = {"team": "search", "quarter": "2026Q4", "unit": "USD", "amount": "10.00"}
URL, KEY = "/api/v1/budgets/", {"HTTP_IDEMPOTENCY_KEY": "first"}
MODEL = {
    "team": "search",
    "slug": "a",
    "name": "A",
    "version": "1",
    "tier": "T1",
    "task": "classification",
    "owner": "author",
}


def allocate(client: APIClient, key: str = "first", **changes: str) -> Response:
    return client.post(URL, ALLOCATION | changes, format="json", HTTP_IDEMPOTENCY_KEY=key)


def test_the_first_answer_is_given_again(api: Api, finance: User) -> None:
    client = api(finance)
    first = allocate(client)
    before = snapshot()
    second = allocate(client)
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.get("Idempotent-Replay"), second["Idempotent-Replay"]) == (None, "true")
    assert (second.content, second["Content-Type"]) == (first.content, first["Content-Type"])
    assert snapshot() == before


def test_without_a_key_every_call_counts(api: Api, finance: User) -> None:
    client = api(finance)
    for _ in range(2):
        client.post(URL, ALLOCATION, format="json")
    assert (LedgerEntry.objects.count(), AnsweredPost.objects.count()) == (2, 0)


def test_another_key_is_another_call(api: Api, finance: User) -> None:
    client = api(finance)
    assert (allocate(client, "first").status_code, allocate(client, "second").status_code) == (201, 201)
    assert LedgerEntry.objects.count() == 2


def test_a_key_of_somebody_else_is_another_key(api: Api, finance: User, author: User) -> None:
    assert allocate(api(author)).status_code == 403
    assert allocate(api(finance)).status_code == 201
    assert list(AnsweredPost.objects.order_by("status").values_list("status", flat=True)) == [201, 403]


def test_a_key_used_for_another_call_is_refused(api: Api, finance: User) -> None:
    client = api(finance)
    allocate(client)
    before = snapshot()
    for response in (
        allocate(client, amount="11.00"),
        client.post("/api/v1/rulebook/policies/", ALLOCATION, format="json", **KEY),
        client.post(f"{URL}?x=1", ALLOCATION, format="json", **KEY),
    ):
        assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
        assert response["Content-Type"] == "application/problem+json"
    assert snapshot() == before


def test_a_refusal_is_remembered_too(api: Api, finance: User) -> None:
    client = api(finance)
    first = allocate(client, quarter="never")
    second = allocate(client, quarter="never")
    assert (first.status_code, second.status_code, second["Idempotent-Replay"]) == (400, 400, "true")
    assert second.json() == first.json()
    assert second["Content-Type"] == "application/problem+json"


def test_a_fault_of_ours_is_rolled_back_and_forgotten(api: Api, finance: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client, allocation = api(finance), budgets.allocate
    client.raise_request_exception = False

    def fail_late(**arguments: Any) -> None:
        allocation(**arguments)
        raise ZeroDivisionError

    before = snapshot()
    monkeypatch.setattr(budgets, "allocate", fail_late)
    assert allocate(client).status_code == 500
    assert snapshot() == before
    monkeypatch.setattr(budgets, "allocate", allocation)
    second = allocate(client)
    assert (second.status_code, second.get("Idempotent-Replay")) == (201, None)


def test_an_answered_fault_is_rolled_back_too(api: Api, finance: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from governance.budgets.api.budgets import Budgets

    def allocate_badly(view: Budgets, request: Any) -> Response:
        AnsweredPost.objects.create(
            user=finance, key="stray", fingerprint="", received_at=datetime.fromisoformat("2026-01-01T00:00:00Z")
        )
        return Response({}, status=503)

    monkeypatch.setattr(Budgets, "allocate", allocate_badly)
    assert allocate(api(finance)).status_code == 503
    assert AnsweredPost.objects.count() == 0


@pytest.mark.parametrize("key", ["", "x" * 121, "caf\x07"])
def test_a_key_that_is_none(api: Api, finance: User, key: str) -> None:
    before = snapshot()
    response = allocate(api(finance), key)
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "Idempotency-Key")
    assert snapshot() == before


def test_strangers_are_refused_by_the_view_and_not_remembered(api: Api, cast: Any) -> None:
    assert allocate(api(None)).status_code == 401
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION="Token wb_wrong")
    assert allocate(client).status_code == 401
    assert AnsweredPost.objects.count() == 0


def test_a_session_has_keys_too_and_needs_its_csrf_token(cast: Any) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.login(username="finance", password=PASSWORD)
    assert allocate(client).status_code == 403
    client.get("/accounts/logout/")
    client.credentials(HTTP_X_CSRFTOKEN=client.cookies["csrftoken"].value)
    assert [allocate(client).status_code for _ in range(2)] == [201, 201]
    assert LedgerEntry.objects.count() == 1


def test_an_upload_is_remembered_by_the_content_of_its_file(api: Api, author: User) -> None:
    client = api(author)

    def send(seed: int = 0, **changes: str) -> Response:
        file = SimpleUploadedFile("model.onnx", onnx_bytes(seed))
        return client.post("/api/v1/models/", MODEL | changes | {"file": file}, **KEY)

    first, second = send(), send()
    assert (first.status_code, first.get("Idempotent-Replay")) == (201, None)
    assert (second.content, second["Idempotent-Replay"]) == (first.content, "true")
    assert send(seed=1).status_code == 422
    assert send(version="2").status_code == 422
    assert ModelVersion.objects.count() == 1


def test_an_upload_that_failed_is_forgotten(api: Api, author: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from governance.inventory.api import Models

    with monkeypatch.context() as patched:
        patched.setattr(Models, "post", lambda view, request: Response({}, status=503))
        assert api(author).post("/api/v1/models/", MODEL, **KEY).status_code == 503
    assert AnsweredPost.objects.count() == 0


def test_a_view_that_knows_no_people_is_left_alone() -> None:
    request = RequestFactory().post("/api/v1/x/", **KEY)
    middleware = IdempotentPosts(lambda _: HttpResponse())
    assert middleware.process_view(request, lambda _: HttpResponse(), (), {}) is None


def test_who_asks_is_known_for_every_view_of_the_api(finance: User) -> None:
    views = {view for address, view in callbacks(get_resolver()) if address.startswith("api/v1/")}
    assert len(views) > 80
    for view in views:
        request = RequestFactory().post("/api/v1/x/", **KEY)
        request.user, request._dont_enforce_csrf_checks = finance, True
        assert user_of(request, view) in {finance, None}


def callbacks(resolver: URLResolver, before: str = "") -> Iterator[tuple[str, Callable[..., HttpResponse]]]:
    for each in resolver.url_patterns:
        address = before + str(each.pattern)
        yield from callbacks(each, address) if isinstance(each, URLResolver) else [(address, each.callback)]


def test_what_is_no_call_of_the_api_is_left_alone(cast: Any, client: Any) -> None:
    client.login(username="author", password=PASSWORD)
    assert client.get("/api/v1/keys/", **KEY).status_code == 200
    assert client.post("/api/v1/nothing/", **KEY).status_code == 404
    assert client.post("/accounts/logout/", **KEY).status_code == 302
    assert AnsweredPost.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_are_one(now: datetime, api: Api) -> None:
    client = api(make_cast(now=now).finance)

    def call() -> Response:
        own = APIClient()
        own.credentials(**client._credentials)
        return allocate(own)

    responses = together([call] * 20)
    statuses = sorted(response.status_code for response in responses)
    assert set(statuses) <= {201, 409}
    assert 201 in statuses
    for response in responses:
        if response.status_code == 409:
            assert (response.json()["code"], response["Retry-After"]) == ("idempotency_key_under_way", "1")
    fresh = [response for response in responses if response.status_code == 201 and "Idempotent-Replay" not in response]
    assert len(fresh) == 1
    assert allocate(client).content == fresh[0].content
    assert (LedgerEntry.objects.count(), AuditEvent.objects.filter(kind="budget.allocate").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_twenty_uploads_at_once_are_one_version(now: datetime, api: Api) -> None:
    client = api(make_cast(now=now).author)

    def call() -> Response:
        own = APIClient()
        own.credentials(**client._credentials)
        return own.post("/api/v1/models/", MODEL | {"file": SimpleUploadedFile("m.onnx", onnx_bytes())}, **KEY)

    responses = together([call] * 20)
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert ModelVersion.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_call_under_way_is_not_begun_again(now: datetime, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    client, allocation = api(make_cast(now=now).finance), budgets.allocate
    is_begun, may_end = Event(), Event()

    def slowly(**arguments: Any) -> LedgerEntry:
        is_begun.set()
        assert may_end.wait(PATIENCE_S)
        return allocation(**arguments)

    def call() -> int:
        try:
            own = APIClient()
            own.credentials(**client._credentials)
            return int(allocate(own).status_code)
        finally:
            connection.close()

    monkeypatch.setattr(budgets, "allocate", slowly)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(call)
        assert is_begun.wait(PATIENCE_S)
        second = allocate(client)
        may_end.set()
        assert first.result(PATIENCE_S) == 201
    assert (second.status_code, second["Retry-After"]) == (409, "1")
    assert second.json()["detail"] == "This call is still under way; ask again in a second for its answer."
    third = allocate(client)
    assert (third.status_code, third["Idempotent-Replay"]) == (201, "true")
    assert LedgerEntry.objects.count() == 1


def test_a_worker_that_dies_half_way_leaves_nothing(api: Api, finance: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api(finance)
    before = snapshot()

    def die(**arguments: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(budgets, "allocate", die)
        with pytest.raises(SystemExit):
            allocate(client)
    assert snapshot() == before
    assert AnsweredPost.objects.count() == 0
    assert allocate(client).status_code == 201
