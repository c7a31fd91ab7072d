"""A request as people and programs see it, and how often the database is asked for that."""

import re

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from reviews.requests.models import ReviewRequest
from tests.golden.conftest import Story
from tests.golden.golden import check, check_document
from tests.integration.reviews.requests.reading import enter, page_of, words

PAGE_QUERIES_MAX = 68
API_QUERIES_MAX = 66
URL = "/api/v1/requests/"


def check_page(name: str, request: ReviewRequest, reader: User) -> None:
    """The visible text of each tab, a sentence a line."""
    for tab in ("", "evidence", "costs", "policy", "checklist", "history"):
        response = enter(reader).get(page_of(request, tab))
        assert response.status_code == 200
        check(f"pages/{name}-{tab or 'decision'}.txt", re.sub(r"(?<=[.:?!]) ", "\n", words(response)))


def test_the_page_of_a_draft(story: Story) -> None:
    check_page("draft", story.drafted(), story.rita)


def test_the_page_in_evidence(story: Story) -> None:
    check_page("evidence", story.in_evidence(), story.rita)


def test_the_page_in_review(story: Story) -> None:
    check_page("review", story.in_second_review(), story.bert)


def test_the_page_of_a_decision(story: Story) -> None:
    check_page("decided", story.decided(), story.lea)


def test_the_answer_of_the_api_and_its_row_in_the_list(story: Story) -> None:
    request = story.decided()
    client = enter(story.rita)
    check_document("api/request.json", client.get(f"{URL}{request.ref}/").json())
    check_document("api/requests.json", client.get(URL).json())


@pytest.mark.parametrize("is_page", [True, False], ids=["page", "api"])
def test_how_often_the_database_is_asked(
    story: Story, is_page: bool, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """Of a decided request, once nothing has to be looked up for the first time. Lower the limit, never raise it."""
    request, client = story.decided(), enter(story.anne)
    address = page_of(request) if is_page else f"{URL}{request.ref}/"
    client.get(address)
    with django_assert_max_num_queries(PAGE_QUERIES_MAX if is_page else API_QUERIES_MAX) as asked:
        assert client.get(address).status_code == 200
    print(f"{address} asks the database {len(asked)} times.")
