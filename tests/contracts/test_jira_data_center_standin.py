"""The stand-in of Data Center: it refuses what only Cloud has, as a real one does."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contracts.test_jira_standin import EMPTY, TASK
from tests.contracts.test_jira_standin import call as call_with_basic
from tests.standins.jira_data_center import JiraDataCenter

PLAIN = TASK | {"description": "h3. Why\n\nBecause."}


@pytest.fixture
def jira() -> Iterator[JiraDataCenter]:
    with JiraDataCenter(version="9.12.2") as standin:
        yield standin


def call(url: str, method: str = "GET", body: Any = None, *, token: str = "standin-token") -> tuple[int, Any]:
    return call_with_basic(url, method, body, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/rest/api/3/serverInfo"),
        ("GET", "/rest/api/3/myself"),
        ("POST", "/rest/api/3/search/jql"),
        ("POST", "/rest/api/2/search/jql"),
        ("POST", "/rest/api/2/issue/bulkfetch"),
        ("GET", "/rest/api/2/project/search"),
        ("GET", "/rest/api/2/issue/createmeta"),
    ],
)
def test_what_only_cloud_has_is_not_there(jira: JiraDataCenter, method: str, path: str) -> None:
    assert call(f"{jira.url}{path}", method, {} if method == "POST" else None)[0] == 404


def test_an_account_and_its_password_are_no_token(jira: JiraDataCenter) -> None:
    assert call_with_basic(f"{jira.url}/rest/api/2/myself")[0] == 401
    assert call(f"{jira.url}/rest/api/2/myself", token="other")[0] == 401
    status, user = call(f"{jira.url}/rest/api/2/myself")
    assert (status, "accountId" in user, user["key"] != user["name"]) == (200, False, True)


def test_bodies_are_plain(jira: JiraDataCenter) -> None:
    status, answer = call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": TASK | {"description": EMPTY}})
    assert (status, answer["errors"]) == (400, {"description": "Operation value must be a string"})
    assert call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": PLAIN})[0] == 201
    comments = f"{jira.url}/rest/api/2/issue/MR-1/comment"
    assert call(comments, "POST", {"body": EMPTY})[0] == 400
    assert call(comments, "POST", {"body": "  "})[0] == 400
    assert call(comments, "POST", {"body": "x" * 32_768})[0] == 400
    assert call(comments, "POST", {"body": "Said."})[1]["body"] == "Said."
    assert call(f"{jira.url}/rest/api/2/issue/MR-1")[1]["fields"]["description"] == PLAIN["description"]
    assert call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": TASK | {"description": "x" * 32_768}})[0] == 400


def test_search_has_a_start_and_a_total(jira: JiraDataCenter) -> None:
    for _ in range(3):
        call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": PLAIN})
    search = f"{jira.url}/rest/api/2/search"
    _, page = call(search, "POST", {"jql": "labels = a order by created", "startAt": 1, "maxResults": 1})
    assert (page["total"], page["startAt"], [issue["key"] for issue in page["issues"]]) == (3, 1, ["MR-2"])
    assert call(search, "POST", {"jql": "id in (10001, 999)"})[0] == 400
    _, page = call(search, "POST", {"jql": "id in (10001, 999)", "validateQuery": False})
    assert [issue["id"] for issue in page["issues"]] == ["10001"]
    assert call(search, "POST", {"jql": "labels ~ a"})[0] == 400
    assert call(search, "POST", {"jql": 1})[0] == 400


def test_changes_are_expanded_inside_an_issue(jira: JiraDataCenter) -> None:
    call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": PLAIN})
    issue = f"{jira.url}/rest/api/2/issue/MR-1"
    assert call(f"{issue}/transitions", "POST", {"transition": {"id": "21"}})[0] == 204
    assert call(f"{issue}/changelog")[0] == 404
    assert "changelog" not in call(issue)[1]
    log = call(f"{issue}?expand=changelog")[1]["changelog"]
    assert (log["total"], log["histories"][0]["items"][0]["toString"]) == (1, "In Progress")
    assert call(f"{jira.url}/rest/api/2/issue/MR-9?expand=changelog")[0] == 404


def test_create_screens_are_pages_of_values(jira: JiraDataCenter) -> None:
    types = call(f"{jira.url}/rest/api/2/issue/createmeta/MR/issuetypes")[1]
    assert [kind["name"] for kind in types["values"]] == ["Task", "Bug", "Model Review"]
    fields = call(f"{jira.url}/rest/api/2/issue/createmeta/MR/issuetypes/10001")[1]
    assert {"fieldId", "name", "required", "schema"} <= set(fields["values"][0])
    assert call(f"{jira.url}/rest/api/2/issue/createmeta/NO/issuetypes")[0] == 404
    assert call(f"{jira.url}/rest/api/2/issue/createmeta/MR/issuetypes/9")[0] == 404


def test_users_are_found_by_name_and_by_address(jira: JiraDataCenter) -> None:
    jira.config.people = {"JIRAUSER10100": {"name": "Ada", "email": "ada@example.org"}}
    (user,) = call(f"{jira.url}/rest/api/2/user/search?username=ada%40example.org")[1]
    assert (user["key"], user["displayName"]) == ("JIRAUSER10100", "Ada")
    assert call(f"{jira.url}/rest/api/2/user/search?username=nobody")[1] == []


def test_values_have_the_types_of_their_fields(jira: JiraDataCenter) -> None:
    wrong = {"customfield_10031": "12", "customfield_10034": "Yes", "customfield_10035": "soon", "customfield_10036": 1}
    _, answer = call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": PLAIN | wrong})
    assert set(answer["errors"]) == set(wrong)
    call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": PLAIN})
    assert call(f"{jira.url}/rest/api/2/issue/MR-1", "PUT", {"fields": wrong})[0] == 400
    assert call(f"{jira.url}/rest/api/2/issue/MR-1", "PUT", {"fields": {"customfield_10031": 12.5}})[0] == 204
    assert call(f"{jira.url}/rest/api/2/issue/MR-9", "PUT", {"fields": {}})[0] == 404


def test_the_page_shows_the_markup(jira: JiraDataCenter) -> None:
    call(f"{jira.url}/rest/api/2/issue", "POST", {"fields": PLAIN | {"description": "<b>{x}</b>"}})
    assert "<pre>&lt;b&gt;{x}&lt;/b&gt;</pre>" in call(f"{jira.url}/browse/MR-1")[1]
