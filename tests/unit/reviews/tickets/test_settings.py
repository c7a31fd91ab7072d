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


def test_an_absent_credential_is_told() -> None:
    with pytest.raises(Misconfigured, match="No credential is stored for https://acme"):
        JiraSettings(**GOOD | {"token": " "})


def test_the_account_is_named_without_an_address_too() -> None:
    assert JiraSettings(**GOOD).account == "the account bot@acme.example"
    assert JiraSettings(**GOOD | {"email": ""}).account == "the account of the stored token"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("acme.atlassian.net", "not a web address"),
        ("ftp://acme.atlassian.net", "not a web address"),
        ("https://", "not a web address"),
        ("https://bot:s3cret@acme.atlassian.net", "must be plain"),
        ("https://acme.atlassian.net/?os_authType=basic", "must be plain"),
        ("https://acme.atlassian.net/#top", "must be plain"),
        ("https://@acme.atlassian.net", "must be plain"),
        ("https://acme.atlassian.net:port", "not a web address"),
        ("https://[::1", "not a web address"),
        ("https://acme..atlassian.net", "not a web address"),
        ("https://.atlassian.net", "not a web address"),
        (f"https://{'a' * 64}.atlassian.net", "not a web address"),
        ("https://acme\udcff.atlassian.net", "not a web address"),
        ("https://acme\0.atlassian.net", "not a web address"),
        ("http://acme.atlassian.net", "use https"),
    ],
)
def test_an_address_that_cannot_be_right_is_refused(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as refused:
        JiraSettings(**GOOD | {"url": url})
    assert "s3cret" not in refused.value.reason


@pytest.mark.parametrize("url", ["https://jira.müller.example", "https://jira_1.example.", "https://10.0.0.7:8443"])
def test_an_unusual_address_is_one(url: str) -> None:
    assert JiraSettings(**GOOD | {"url": url}, allow_plain_http=False).url == url


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_plain_http_to_this_machine_is_fine(url: str) -> None:
    assert JiraSettings(**GOOD | {"url": url}).is_loopback


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8080", "https://localhost", "https://127.0.0.1", "https://169.254.169.254", "https://[::1]"],
)
def test_in_production_this_machine_is_no_site(url: str) -> None:
    with pytest.raises(Misconfigured):
        JiraSettings(**GOOD | {"url": url}, allow_plain_http=False)
