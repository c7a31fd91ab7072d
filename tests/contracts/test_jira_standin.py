"""The stand-in itself: what it refuses as Jira does, how it fails on demand, how it runs as a process of its own."""

import base64
import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.standins.jira import adf, jql
from tests.standins.jira.limits import WriteLimits, named_wait_s, refusal_headers
from tests.standins.jira_cloud import JiraCloud

EMPTY = {"type": "doc", "version": 1, "content": []}
TASK = {"summary": "s", "project": {"key": "MR"}, "issuetype": {"name": "Task"}, "labels": ["a"], "description": EMPTY}


@pytest.fixture
def jira() -> Iterator[JiraCloud]:
    with JiraCloud() as standin:
        yield standin


def call(
    url: str,
    method: str = "GET",
    body: Any = None,
    *,
    token: str = "standin-token",
    headers: dict[str, str] | None = None,
) -> tuple[int, Any]:
    account = base64.b64encode(f"bot@example.com:{token}".encode()).decode()
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, headers or {"Authorization": f"Basic {account}"}, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            text = answer.read().decode()
            return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] and text else text
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read() or b"{}")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"summary": ""}, "summary"),
        ({"summary": "two\nlines"}, "summary"),
        ({"summary": "x" * 256}, "summary"),
        ({"project": {"key": "NONE"}}, "project"),
        ({"issuetype": {"name": "Epic"}}, "issuetype"),
        ({"labels": ["two words"]}, "labels"),
        ({"customfield_1": "x"}, "customfield_1"),
        ({"description": "plain text"}, "description"),
        (
            {
                "description": EMPTY
                | {"content": [{"type": "paragraph", "content": [{"type": "text", "text": "x" * 32_768}]}]}
            },
            "description",
        ),
    ],
)
def test_create_refuses_what_jira_refuses(jira: JiraCloud, changes: dict[str, Any], field: str) -> None:
    status, answer = call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK | changes})
    assert (status, list(answer["errors"])) == (400, [field])
    assert jira.issues.issues == []


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ("text", "the root is not a doc"),
        ({"type": "paragraph"}, "the root is not a doc"),
        ({"type": "doc", "content": []}, "version is not 1"),
        ({"type": "doc", "version": 1}, "doc has no content"),
        (EMPTY, ""),
        (EMPTY | {"content": [text("loose")]}, "doc may not hold 'text'"),
        (EMPTY | {"content": ["loose"]}, "doc may not hold None"),
        (EMPTY | {"content": [{"type": "rule"}]}, ""),
        (EMPTY | {"content": [{"type": "table", "content": []}]}, "doc.table[0] is empty"),
        (EMPTY | {"content": [{"type": "heading", "attrs": {"level": 7}}]}, "doc.heading[0] has no level from 1 to 6"),
        (EMPTY | {"content": [{"type": "paragraph", "content": [text("")]}]}, "doc.paragraph[0].text[0] has no text"),
        (
            EMPTY | {"content": [{"type": "paragraph", "content": [text("x", marks=[{"type": "b"}])]}]},
            "doc.paragraph[0].text[0] has unknown marks ['b']",
        ),
        (
            EMPTY
            | {"content": [{"type": "paragraph", "content": [text("x", marks=[{"type": "code"}, {"type": "em"}])]}]},
            "doc.paragraph[0].text[0] combines code with another mark",
        ),
        (
            EMPTY | {"content": [{"type": "paragraph", "content": [text("x", marks=[{"type": "link"}])]}]},
            "doc.paragraph[0].text[0] links nowhere",
        ),
    ],
)
def test_what_is_adf(document: object, fault: str) -> None:
    assert adf.fault_in(document) == fault


def test_a_comment_has_to_be_adf(jira: JiraCloud) -> None:
    call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK})
    status, answer = call(f"{jira.url}/rest/api/3/issue/MR-1/comment", "POST", {"body": "plain"})
    assert (status, answer["errorMessages"]) == (400, ["Comment body is not valid!"])


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ('labels = "a"', ["MR-3", "MR-1"]),
        ("labels = a ORDER BY created ASC", ["MR-1", "MR-3"]),
        ("labels in (a, b) order by created", ["MR-1", "MR-2", "MR-3"]),
        ('project = MR AND labels = "b"', ["MR-2"]),
        ("key = MR-2", ["MR-2"]),
        ("issuetype = Bug", []),
        ("labels = c", []),
    ],
)
def test_the_corner_of_jql(jira: JiraCloud, query: str, keys: list[str]) -> None:
    for label in "aba":
        call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK | {"labels": [label]}})
    _, answer = call(f"{jira.url}/rest/api/3/search/jql", "POST", {"jql": query})
    assert [issue["key"] for issue in answer["issues"]] == keys
    assert [issue["key"] for issue in jql.select(jira.issues.issues, query)] == keys


@pytest.mark.parametrize("query", ["labels ~ a", "labels = a OR labels = b", "labels = a ORDER BY votes", ""])
def test_other_jql_is_refused_not_guessed(jira: JiraCloud, query: str) -> None:
    status, _ = call(f"{jira.url}/rest/api/3/search/jql", "POST", {"jql": query})
    assert status == 400


def test_search_by_get_shows_only_the_fields_asked_for(jira: JiraCloud) -> None:
    call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK})
    _, answer = call(f"{jira.url}/rest/api/3/search/jql?jql=key%20%3D%20MR-1&fields=labels,status")
    assert set(answer["issues"][0]["fields"]) == {"labels", "status"}
    assert answer["isLast"] is True


def test_properties_and_links_are_kept(jira: JiraCloud) -> None:
    call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK})
    path = f"{jira.url}/rest/api/3/issue/10001"
    assert call(f"{path}/properties/seen", "PUT", {"by": "us"})[0] == 201
    assert call(f"{path}/properties/seen", "PUT", {"by": "them"})[0] == 200
    assert call(f"{path}/properties/seen") == (200, {"key": "seen", "value": {"by": "them"}})
    assert call(f"{path}/properties/other")[0] == 404
    assert call(f"{path}/remotelink", "POST", {"object": {"url": "http://x"}})[1]["errors"] == {
        "title": "'title' is required."
    }
    assert call(f"{path}/remotelink")[1] == []


def test_a_stranger_learns_only_what_the_server_is(jira: JiraCloud) -> None:
    assert call(f"{jira.url}/rest/api/3/serverInfo", token="wrong")[1]["deploymentType"] == "Cloud"
    for path in ("myself", "issue/MR-1", "project/MR", "nowhere"):
        assert call(f"{jira.url}/rest/api/3/{path}", token="wrong")[0] == 401


def test_unknown_paths_and_bodies_are_refused(jira: JiraCloud) -> None:
    assert call(f"{jira.url}/rest/api/3/nowhere")[0] == 404
    assert call(f"{jira.url}/rest/api/2/issue", "POST", {})[0] == 404
    assert call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": None})[0] == 400


def test_failures_are_ordered_over_http(jira: JiraCloud) -> None:
    order = {"match": "GET .*/myself$", "status": 429, "retry_after": "2", "times": 2}
    assert call(f"{jira.url}/_faults", "POST", order)[0] == 200
    assert [call(f"{jira.url}/rest/api/3/myself")[0] for _ in range(3)] == [429, 429, 200]
    assert call(f"{jira.url}/_state")[1]["faults"] == []


def test_orders_can_be_taken_back_and_wrong_ones_are_refused(jira: JiraCloud) -> None:
    jira.order("GET", status=500, times=-1)
    assert call(f"{jira.url}/_faults", "DELETE") == (200, {"faults": []})
    assert call(f"{jira.url}/rest/api/3/myself")[0] == 200
    assert call(f"{jira.url}/_faults", "POST", {"match": "("})[0] == 400
    assert call(f"{jira.url}/_faults", "POST", {"explode": True})[0] == 400
    assert call(f"{jira.url}/_nowhere")[0] == 404


def test_the_site_can_be_changed_while_it_runs(jira: JiraCloud) -> None:
    assert call(f"{jira.url}/_config", "POST", {"index_lag_s": 60})[0] == 200
    call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK})
    assert call(f"{jira.url}/rest/api/3/search/jql", "POST", {"jql": "labels = a"})[1]["issues"] == []
    assert call(f"{jira.url}/_config", "POST", {"color": "red"}) == (400, {"error": "there is no setting color"})


def test_a_person_can_look(jira: JiraCloud) -> None:
    hostile = {"type": "paragraph", "content": [text("<b>bold</b>")]}
    call(
        f"{jira.url}/rest/api/3/issue",
        "POST",
        {"fields": TASK | {"summary": "<script>", "description": EMPTY | {"content": [hostile]}}},
    )
    _, page = call(f"{jira.url}/browse/MR-1")
    assert "<h1>&lt;script&gt;</h1>" in page
    assert "<p>&lt;b&gt;bold&lt;/b&gt;</p>" in page
    assert ">To Do</span>" in page
    assert '<a href="/browse/MR-1">MR-1</a>' in call(f"{jira.url}/")[1]
    assert "color-scheme" in call(f"{jira.url}/_style.css")[1]
    assert re.findall(r"<script|style=|https?://", page) == []


def test_it_runs_as_a_process_and_keeps_its_state(tmp_path: Path) -> None:
    port_file, state = tmp_path / "jira.url", tmp_path / "jira.json"
    for run in range(2):
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.standins.jira_cloud", "--port-file", port_file, "--state", state]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            deadline_s = time.monotonic() + 60
            while not port_file.exists() and time.monotonic() < deadline_s:
                time.sleep(0.02)
            url = port_file.read_text().strip()
            if run == 0:
                call(f"{url}/rest/api/3/issue", "POST", {"fields": TASK})
            assert call(f"{url}/rest/api/3/issue/MR-1")[1]["fields"]["summary"] == "s"
            process.send_signal(signal.SIGINT)
            try:
                assert process.communicate(timeout=60)[0] == f"{url}\nstopped\n"
            finally:
                process.kill()
        assert process.returncode == 0


def test_search_lags_by_the_clock_and_can_be_told_what_to_see() -> None:
    moment_s = [1_000_000.0]
    with JiraCloud(clock=lambda: moment_s[0], index_lag_s=60) as jira:
        call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK})
        search = f"{jira.url}/rest/api/3/search/jql"
        assert call(search, "POST", {"jql": "labels = a"})[1]["issues"] == []
        seen = call(search, "POST", {"jql": "labels = a", "reconcileIssues": [10001]})[1]["issues"]
        assert [issue["key"] for issue in seen] == ["MR-1"]
        seen = call(f"{search}?jql=labels%20%3D%20a&reconcileIssues=10001")[1]["issues"]
        assert [issue["key"] for issue in seen] == ["MR-1"]
        moment_s[0] += 60
        assert len(call(search, "POST", {"jql": "labels = a"})[1]["issues"]) == 1


def test_one_issue_takes_only_so_many_writes_and_early_returns_are_noted() -> None:
    moment_s = [1_000_000.0]
    with JiraCloud(clock=lambda: moment_s[0]) as jira:
        for _ in range(2):
            call(f"{jira.url}/rest/api/3/issue", "POST", {"fields": TASK})
        link = {"globalId": "g", "object": {"url": "http://x", "title": "x"}}

        def write(name: str) -> int:
            return call(f"{jira.url}/rest/api/3/issue/{name}/remotelink", "POST", link)[0]

        for _ in range(20):
            assert write("10001") in {200, 201}
        assert (write("MR-1"), write("10002")) == (429, 201)
        assert jira.site.manners.too_early == []
        assert write("MR-1") == 429
        assert jira.site.manners.too_early == ["POST /rest/api/3/issue/MR-1/remotelink, 2.000 s too early"]
        moment_s[0] += 2
        assert write("MR-1") == 200
        jira.config.limits_writes = False
        assert [write("MR-1") for _ in range(30)] == [200] * 30


def test_a_hundred_writes_in_thirty_seconds_are_the_other_limit() -> None:
    limits = WriteLimits()
    assert [limits.wait_s("1", now_s=number * 0.2) for number in range(100)] == [0.0] * 100
    assert limits.wait_s("1", now_s=20.0) == 10.0
    assert limits.wait_s("1", now_s=30.0) == 0.0
    assert refusal_headers(1.2) == {
        "Retry-After": "2",
        "RateLimit-Reason": "jira-per-issue-on-write",
        "X-RateLimit-Remaining": "0",
    }


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "Thu, 01 Jan 1970 00:01:00 GMT"}, 50.0),
        ({"X-RateLimit-Reset": "1970-01-01T00:00:30Z"}, 20.0),
        ({}, 0.0),
    ],
)
def test_the_wait_a_refusal_names(headers: dict[str, str], wait_s: float) -> None:
    assert named_wait_s(headers, now_s=10.0) == wait_s


def test_whoever_comes_before_the_time_named_is_noted() -> None:
    moment_s = [1_000_000.0]
    with JiraCloud(clock=lambda: moment_s[0]) as jira:
        jira.order("GET", status=429, retry_after="5")
        myself = f"{jira.url}/rest/api/3/myself"
        assert call(myself)[0] == 429
        moment_s[0] += 4
        assert call(myself)[0] == 200
        moment_s[0] += 1
        assert call(myself)[0] == 200
        assert call(f"{jira.url}/_state")[1]["too_early"] == ["GET /rest/api/3/myself, 1.000 s too early"]
        assert [moment for moment, _ in jira.site.arrivals] == [1_000_000.0, 1_000_004.0, 1_000_005.0]


def test_a_payload_of_another_shape_is_refused_not_dropped(jira: JiraCloud) -> None:
    status, answer = call(f"{jira.url}/rest/api/3/search/jql", "POST", {"jql": 1})
    assert (status, answer["errorMessages"][0][:24]) == (400, "Invalid request payload:")
