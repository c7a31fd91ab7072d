"""Which route takes a ticket: the most specific one that covers it, whatever the order."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.tickets.domain.addresses import address_problem, is_inner
from reviews.tickets.domain.field_values import FIELD_VALUES, FieldKind, kinds_for
from reviews.tickets.domain.routing import RoutedSubject, RouteScope, Work, chosen_route


@dataclass(frozen=True)
class Route:
    name: str
    scope: RouteScope


ALL = Route("all", RouteScope())
TEAM = Route("team", RouteScope(team="vision"))
KIND = Route("kind", RouteScope(kind="container"))
WORK = Route("work", RouteScope(work=Work.ACTION_ITEM))
TEAM_KIND = Route("team and kind", RouteScope(team="vision", kind="container"))
KIND_WORK = Route("kind and work", RouteScope(kind="container", work=Work.REVIEW))
ROUTES = [ALL, TEAM, KIND, WORK, TEAM_KIND, KIND_WORK]


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (RoutedSubject(team="sound", kind="file", work=Work.REVIEW), "all"),
        (RoutedSubject(team="vision", kind="file", work=Work.REVIEW), "team"),
        (RoutedSubject(team="vision", kind="file", work=Work.ACTION_ITEM), "team"),
        (RoutedSubject(team="sound", kind="file", work=Work.ACTION_ITEM), "work"),
        (RoutedSubject(team="sound", kind="container", work=Work.ACTION_ITEM), "kind"),
        (RoutedSubject(team="sound", kind="container", work=Work.REVIEW), "kind and work"),
        (RoutedSubject(team="vision", kind="container", work=Work.REVIEW), "team and kind"),
        (RoutedSubject(work=Work.ACTION_ITEM), "work"),
        (RoutedSubject(work=Work.REVIEW), "all"),
    ],
)
def test_the_most_specific_route_counts(subject: RoutedSubject, name: str) -> None:
    for routes in (ROUTES, ROUTES[::-1]):
        assert chosen_route(routes, subject).name == name


def test_without_a_route_for_everything_some_tickets_wait() -> None:
    assert chosen_route([TEAM], RoutedSubject(team="sound", work=Work.REVIEW)) is None
    assert chosen_route([], RoutedSubject(work=Work.REVIEW)) is None


WORDS = st.sampled_from(["", "a", "b"])
SCOPES = st.builds(RouteScope, team=WORDS, kind=WORDS, work=WORDS)
SUBJECTS = st.builds(RoutedSubject, team=WORDS, kind=WORDS, work=st.sampled_from(["a", "b"]))


@given(st.lists(SCOPES, unique=True, max_size=12), SUBJECTS, st.randoms())
def test_one_route_is_chosen_whatever_the_order(scopes: list[RouteScope], subject: RoutedSubject, rng: object) -> None:
    routes = [Route("", scope) for scope in scopes]
    found = chosen_route(routes, subject)
    rng.shuffle(routes)
    assert chosen_route(routes, subject) == found
    covering = [route for route in routes if route.scope.covers(subject)]
    assert (found is None) is not bool(covering)
    assert all(route.scope.rank < found.scope.rank for route in covering if route != found)


def test_what_the_works_are_called() -> None:
    assert [work.label for work in Work] == ["Reviews of requests", "Action items of quarterly reviews"]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("cost_of_year", {FieldKind.NUMBER, FieldKind.TEXT, FieldKind.PARAGRAPH}),
        ("authorized_until", {FieldKind.DATE, FieldKind.TEXT, FieldKind.PARAGRAPH}),
        ("reference", {FieldKind.TEXT, FieldKind.PARAGRAPH}),
        ("link", {FieldKind.TEXT, FieldKind.PARAGRAPH}),
        ("tier", {FieldKind.OPTION, FieldKind.TEXT, FieldKind.PARAGRAPH}),
        ("decision", {FieldKind.OPTION, FieldKind.TEXT, FieldKind.PARAGRAPH}),
    ],
)
def test_what_a_field_must_be_to_hold_a_value(name: str, kinds: set[FieldKind]) -> None:
    assert kinds_for(name) == kinds
    assert name in FIELD_VALUES


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "::1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::ffff:127.0.0.1", "fe80::1"]
)
def test_addresses_that_no_jira_has(host: str) -> None:
    assert is_inner(host)
    url = f"https://[{host}]/" if ":" in host else f"https://{host}/"
    assert address_problem(url, allow_plain_http=False)


@pytest.mark.parametrize("host", ["10.0.0.5", "192.168.1.9", "8.8.8.8", "jira.example.org", "2001:db8::1"])
def test_a_jira_may_stand_in_the_network_of_the_company(host: str) -> None:
    assert not is_inner(host)
    url = f"https://[{host}]/jira" if ":" in host else f"https://{host}/jira"
    assert address_problem(url, allow_plain_http=False) == ""
