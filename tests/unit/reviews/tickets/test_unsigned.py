"""Requests without a credential of the site carry none of this machine either."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests  # noqa: TID251 -- the adapter sends such requests

from reviews.tickets.domain.atlassian import AtlassianHosts, OAuthApp
from reviews.tickets.jira.answers import BoundedAdapter
from reviews.tickets.jira.atlassian import Atlassian
from reviews.tickets.jira.detection import detect
from reviews.tickets.ports import TrackerUnreachable

TIMES = {"connect_timeout_s": 1.0, "read_timeout_s": 1.0, "clock": lambda: datetime(2026, 11, 30, tzinfo=UTC)}
ATLASSIAN = Atlassian(hosts=AtlassianHosts(auth="https://jira.test", api="https://jira.test"), **TIMES)
APP = OAuthApp(client_id="an-app", client_secret="a-secret")


@pytest.mark.parametrize(
    ("ask", "sent"),
    [
        (lambda: detect("https://jira.test", allow_plain_http=True, **TIMES), None),
        (lambda: ATLASSIAN.renewed(APP, refresh="a-refresh"), None),
        (lambda: ATLASSIAN.sites("an-access"), "Bearer an-access"),
    ],
)
def test_a_password_of_the_environment_is_not_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ask: Callable[[], object], sent: str | None
) -> None:
    netrc, seen = tmp_path / "netrc", []
    netrc.write_text("machine jira.test login root password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))

    def send(_: object, request: requests.PreparedRequest, **options: object) -> requests.Response:
        seen.append(request.headers.get("Authorization"))
        raise requests.ConnectionError

    monkeypatch.setattr(BoundedAdapter, "send", send)
    with pytest.raises(TrackerUnreachable):
        ask()
    assert seen == [sent]
