"""Which lists can be saved, what a filter is, and who may share and remove a view."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from governance.people.domain.roles import Person, Role
from governance.people.rules import may
from governance.saved_views.domain import FILTERS_CHARS_MAX, LISTS, NAME_CHARS_MAX, check_view, filters_of
from governance.saved_views.rules import check_remove_view, check_share_view
from weighbridge.core.errors import Invalid

TEMPLATES = Path(__file__).parents[4] / "templates"
texts = st.text(alphabet="a b&=?#%+é/\u202e", max_size=8)


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("", ""),
        ("page=3&q=", ""),
        ("team=search&page=2&state=approved", "state=approved&team=search"),
        ("q=+two+words+&after=9", "q=two+words"),
        ("kind=b&kind=a", "kind=a&kind=b"),
    ],
)
def test_empty_filters_and_the_page_are_left_out(query: str, filters: str) -> None:
    assert filters_of(query) == filters


@given(st.dictionaries(st.sampled_from(["q", "team", "state"]), texts))
def test_filters_are_read_back_and_stay_as_they_are(given_filters: dict[str, str]) -> None:
    filters = filters_of(urlencode(given_filters))
    assert parse_qs(filters) == {name: [value.strip()] for name, value in given_filters.items() if value.strip()}
    assert filters_of(filters) == filters


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"list_name": "governance:settings"}, "list_name"),
        ({"name": ""}, "name"),
        ({"name": "n" * (NAME_CHARS_MAX + 1)}, "name"),
        ({"filters": ""}, "filters"),
        ({"filters": "q=" + "n" * FILTERS_CHARS_MAX}, "filters"),
        ({"filters": "q=\0"}, "filters"),
    ],
)
def test_what_cannot_be_saved_is_refused_at_its_field(changes: dict[str, str], field: str) -> None:
    sound = {"list_name": "reviews:list", "name": "n" * NAME_CHARS_MAX, "filters": "q=fraud"}
    check_view(**sound)
    with pytest.raises(Invalid) as refusal:
        check_view(**(sound | changes))
    assert refusal.value.field == field


def test_each_list_has_an_address_and_each_template_with_filters_is_a_known_list() -> None:
    templates = [path for path in TEMPLATES.rglob("*.html") if "forms/filters.html" in path.read_text("utf-8")]
    pages = [path for path in templates if "styleguide" not in path.parts]
    assert len(pages) == len(LISTS), "Name each list with filters in governance.saved_views.domain.LISTS"
    assert len({reverse(name) for name in LISTS}) == len(LISTS)


@pytest.mark.parametrize("role", [*Role])
@pytest.mark.parametrize("team", ["search", "ads"])
def test_who_may_share_with_a_team(role: Role, team: str) -> None:
    person = Person(id=1, username="p", roles=frozenset({role}), teams=frozenset({"search"}))
    expected = team == "search" or role in {Role.PLATFORM_LEAD, Role.ADMIN}
    assert may(check_share_view)(person, team=team) is expected
    closed = Person(id=1, username="p", roles=person.roles, teams=person.teams, is_active=False)
    assert may(check_share_view)(closed, team=team) is False


@pytest.mark.parametrize("role", [*Role])
def test_who_may_remove_a_view(role: Role) -> None:
    person = Person(id=1, username="p", roles=frozenset({role}))
    assert may(check_remove_view)(person, owner_id=1) is True
    assert may(check_remove_view)(person, owner_id=2) is (role is Role.ADMIN)
