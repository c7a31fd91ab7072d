import pytest

from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import Misconfigured

GOOD = {"url": "https://acme.atlassian.net", "email": "bot@acme.example", "token": "s3cret-token", "project": "MR"}


def test_good_settings_say_where_things_are() -> None:
    settings = JiraSettings(**GOOD)
    assert settings.browse_url("MR-1") == "https://acme.atlassian.net/browse/MR-1"
    assert not settings.is_loopback


def test_a_slash_at_the_end_is_not_doubled() -> None:
    settings = JiraSettings(**GOOD | {"url": "https://acme.atlassian.net/"})
    assert settings.browse_url("MR-1") == "https://acme.atlassian.net/browse/MR-1"


def test_the_token_is_not_shown() -> None:
    assert "s3cret-token" not in repr(JiraSettings(**GOOD))


@pytest.mark.parametrize("name", ["url", "email", "token", "project", "issue_type"])
def test_an_empty_setting_is_named(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"JIRA_{name.upper()} is empty"):
        JiraSettings(**GOOD | {name: " "})


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("acme.atlassian.net", "not a web address"),
        ("ftp://acme.atlassian.net", "not a web address"),
        ("https://", "not a web address"),
        ("https://bot:s3cret@acme.atlassian.net", "plain address"),
        ("https://acme.atlassian.net/?os_authType=basic", "plain address"),
        ("https://acme.atlassian.net/#top", "plain address"),
        ("http://acme.atlassian.net", "use https"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as refused:
        JiraSettings(**GOOD | {"url": url})
    assert "s3cret" not in refused.value.reason


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_plain_http_to_this_machine_is_fine(url: str) -> None:
    assert JiraSettings(**GOOD | {"url": url}).is_loopback


def test_plain_http_elsewhere_has_to_be_allowed() -> None:
    assert not JiraSettings(**GOOD | {"url": "http://jira:8080"}, allow_plain_http=True).is_loopback
