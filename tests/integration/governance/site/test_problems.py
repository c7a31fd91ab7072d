"""Errors have one shape, whoever refuses."""

import json
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.test import Client, RequestFactory
from pytest_django import Settings
from rest_framework.test import APIClient

from governance.site.api.problems import ApiProblems, problem_response
from tests.factories.people import PASSWORD
from tests.factories.snapshots import snapshot
from weighbridge.core.errors import NotAllowed, WrongState

Api = Callable[[User | None], APIClient]
MEDIA_TYPE = "application/problem+json"


@pytest.fixture
def problems_first(settings: Settings) -> None:
    """Django's own pages take the shape of the API where the middleware is installed, as early as can be."""
    name = "governance.site.api.problems.ApiProblems"
    settings.MIDDLEWARE = [name, *(each for each in settings.MIDDLEWARE if each != name)]


def test_a_stranger_is_asked_for_a_token(api: Api) -> None:
    response = api(None).get("/api/v1/models/")
    assert (response.status_code, response["Content-Type"], response["WWW-Authenticate"]) == (401, MEDIA_TYPE, "Token")
    assert response.json() == {
        "type": "urn:weighbridge:problem:not_authenticated",
        "title": "Unauthorized",
        "status": 401,
        "detail": "Authentication credentials were not provided.",
        "code": "not_authenticated",
    }


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        ("Token", "Write the header as: Authorization: Token YOUR_TOKEN."),
        ("Token wb_unknown", "This token is unknown, expired or revoked; ask an administrator for a new one."),
        ("Bearer a b", "Write the header as: Authorization: Token YOUR_TOKEN."),
    ],
)
def test_a_wrong_token_is_refused(api: Api, header: str, detail: str) -> None:
    client = api(None)
    client.credentials(HTTP_AUTHORIZATION=header)
    response = client.get("/api/v1/models/")
    assert (response.status_code, response.json()["detail"]) == (401, detail)


def test_a_method_that_is_not_there(api: Api, author: User) -> None:
    response = api(author).delete("/api/v1/models/")
    assert (response.status_code, response["Allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    assert response.json()["code"] == "method_not_allowed"


def test_a_body_of_another_kind(api: Api, author: User) -> None:
    response = api(author).post("/api/v1/models/", {"team": "search"}, format="json")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_that_is_no_json(api: Api, author: User) -> None:
    response = api(author).post("/api/v1/requests/", "{", content_type="application/json")
    assert (response.status_code, response.json()["code"], response["Content-Type"]) == (400, "parse_error", MEDIA_TYPE)


def test_an_unknown_field_is_named_with_the_known_ones(api: Api, finance: User) -> None:
    before = snapshot()
    response = api(finance).post("/api/v1/budgets/", {"team": "search", "ammount": "5"}, format="json")
    reason = "This field is not known here; known are team, quarter, unit, amount, reason."
    assert response.status_code == 400
    assert response.json() == {
        "type": "urn:weighbridge:problem:invalid",
        "title": "Bad Request",
        "status": 400,
        "detail": f"The input is not valid. ammount: {reason}",
        "code": "invalid",
        "errors": [{"field": "ammount", "detail": reason}],
    }
    assert snapshot() == before


def test_an_input_that_is_no_object(api: Api, finance: User) -> None:
    response = api(finance).post("/api/v1/budgets/", [1], format="json")
    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"field": "non_field_errors", "detail": "Invalid data. Expected a dictionary, but got list."}
    ]


def test_a_page_beyond_the_last(api: Api, author: User) -> None:
    response = api(author).get("/api/v1/models/", {"page": 2})
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_an_address_that_is_not_there(problems_first: None, api: Api, author: User) -> None:
    response = api(author).get("/api/v1/nothing/")
    assert (response.status_code, response["Content-Type"]) == (404, MEDIA_TYPE)
    assert response.json() == {
        "type": "urn:weighbridge:problem:not_found",
        "title": "Not Found",
        "status": 404,
        "detail": "There is nothing at this address; /api/v1/schema/ lists what there is.",
        "code": "not_found",
    }


def test_pages_keep_their_own_errors(problems_first: None, cast: object, client: Client) -> None:
    client.login(username="author", password=PASSWORD)
    response = client.get("/nothing/")
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_a_body_beyond_the_cap_is_refused_unread(
    problems_first: None, settings: Settings, api: Api, author: User
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    response = api(author).post("/api/v1/requests/", {"title": "x" * 1000}, format="json")
    assert (response.status_code, response.json()["code"]) == (413, "too_large")
    assert response.json()["detail"] == "The body is larger than the 1,000 bytes accepted here."


def test_a_form_beyond_the_cap_is_refused_unread(settings: Settings) -> None:
    settings.UPLOAD_LIMIT_BYTES = 10
    request = RequestFactory().post("/api/v1/models/", {"a": "b"}, CONTENT_LENGTH=1_000_011)
    assert ApiProblems(lambda _: HttpResponse())(request).status_code == 413
    request = RequestFactory().post("/api/v1/models/", {"a": "b"}, CONTENT_LENGTH=1_000_010)
    assert ApiProblems(lambda _: HttpResponse())(request).status_code == 200


@pytest.mark.parametrize(
    ("page", "detail"),
    [
        (HttpResponse("<h1>", status=500), "Something failed here that is not your doing; nothing was changed."),
        (HttpResponse("<h1>", status=400), "Bad request syntax or unsupported method."),
        (HttpResponseNotAllowed(["GET"]), "Specified method is invalid for this resource."),
    ],
)
def test_pages_of_django_take_the_shape_of_the_api(page: HttpResponse, detail: str) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        return page

    response = ApiProblems(view)(RequestFactory().get("/api/v1/x/"))
    assert (response.status_code, response["Content-Type"]) == (page.status_code, MEDIA_TYPE)
    assert json.loads(response.content)["detail"] == detail
    assert response.get("Allow") == page.get("Allow")


def test_a_refusal_names_its_field_and_its_status() -> None:
    response = problem_response(NotAllowed("Not you.", field="team"), {})
    assert response is not None
    assert response.data == {
        "type": "urn:weighbridge:problem:not_allowed",
        "title": "Forbidden",
        "status": 403,
        "detail": "Not you.",
        "code": "not_allowed",
        "errors": [{"field": "team", "detail": "Not you."}],
    }
    response = problem_response(WrongState("Not now.", code="later"), {})
    assert response is not None
    assert response.data == {
        "type": "urn:weighbridge:problem:later",
        "title": "Conflict",
        "status": 409,
        "detail": "Not now.",
        "code": "later",
    }


def test_a_fault_of_ours_is_nobodys_problem_document() -> None:
    assert problem_response(ZeroDivisionError(), {}) is None


def test_a_session_needs_its_csrf_token(cast: object) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.login(username="finance", password=PASSWORD)
    before = snapshot()
    response = client.post("/api/v1/budgets/", {}, format="json")
    assert (response.status_code, response["Content-Type"]) == (403, MEDIA_TYPE)
    assert response.json()["detail"].startswith("CSRF Failed")
    assert snapshot() == before
    assert client.get("/accounts/logout/").status_code == 200
    token = client.cookies["csrftoken"].value
    response = client.post("/api/v1/budgets/", {}, format="json", HTTP_X_CSRFTOKEN=token)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["team", "quarter", "unit", "amount"]
