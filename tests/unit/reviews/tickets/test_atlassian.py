"""The hosts of Atlassian are constants, the site is the one with the address, and a consent counts for one state."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from reviews.tickets.domain.atlassian import (
    ATLASSIAN,
    AtlassianHosts,
    CloudSite,
    Consent,
    consent_problem,
    hosts_for,
    site_at,
)

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
CONSENT = Consent(site=7, state="s" * 43, client_id="a", client_secret="b", expires_at=NOW.isoformat())
EARLIER = NOW - timedelta(seconds=1)


@pytest.mark.parametrize(
    "url", ["https://acme.atlassian.net", "http://127.0.0.1:8080", "http://localhost", "https://x"]
)
def test_in_production_tokens_go_to_atlassian_alone(url: str) -> None:
    assert hosts_for(url, allow_plain_http=False) == ATLASSIAN
    assert ATLASSIAN.token_url == "https://auth.atlassian.com/oauth/token"
    assert ATLASSIAN.sites_url == "https://api.atlassian.com/oauth/token/accessible-resources"
    assert ATLASSIAN.site_url("1-a") == "https://api.atlassian.com/ex/jira/1-a"


def test_in_development_a_site_on_this_machine_is_its_own_atlassian() -> None:
    here = "http://127.0.0.1:8080"
    assert hosts_for(here, allow_plain_http=True) == AtlassianHosts(auth=here, api=here)
    assert hosts_for("https://acme.atlassian.net", allow_plain_http=True) == ATLASSIAN
    assert hosts_for("https://127.0.0.1.evil.test", allow_plain_http=True) == ATLASSIAN


def test_the_page_of_consent() -> None:
    where = urlsplit(ATLASSIAN.consent_url(client_id="a&b", callback="https://w.test/c/", state="s"))
    assert where.geturl().startswith("https://auth.atlassian.com/authorize?")
    assert parse_qs(where.query) == {
        "audience": ["api.atlassian.com"],
        "client_id": ["a&b"],
        "scope": ["read:jira-work write:jira-work read:jira-user offline_access"],
        "redirect_uri": ["https://w.test/c/"],
        "state": ["s"],
        "response_type": ["code"],
        "prompt": ["consent"],
    }


def test_the_site_is_the_one_with_the_address() -> None:
    sites = [CloudSite("1", "https://acme.atlassian.net.evil.test"), CloudSite("2", "https://ACME.atlassian.net")]
    assert site_at("https://acme.atlassian.net/", sites) == sites[1]
    assert site_at("https://acme.atlassian.ne", sites) is None


@pytest.mark.parametrize(
    ("consent", "site", "state", "now", "words"),
    [
        (CONSENT, 7, "s" * 43, EARLIER, ""),
        (CONSENT, 7, "s" * 43, NOW, "came too late"),
        (CONSENT, 8, "s" * 43, EARLIER, "belongs to no connection"),
        (CONSENT, 7, "s" * 42, EARLIER, "belongs to no connection"),
        (CONSENT, 7, "\u0161", EARLIER, "belongs to no connection"),
        (None, 7, "", EARLIER, "belongs to no connection"),
    ],
    ids=["right", "late", "other site", "other state", "no ASCII", "none"],
)
def test_a_consent(consent: Consent | None, site: int, state: str, now: datetime, words: str) -> None:
    problem = consent_problem(consent, site=site, state=state, now=now)
    assert (problem == "", words in problem) == (words == "", True)
