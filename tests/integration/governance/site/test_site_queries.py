"""Queries that are compiled once answer as if they were built for each value; lists read the part that is shown."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from pytest_django.fixtures import DjangoAssertNumQueries

from governance.site.queries import ShownRows, compiled_once
from tests.factories.people import Cast

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def test_each_call_puts_its_own_value_in_every_place_of_the_marker(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    built = []

    def joined(then: datetime) -> QuerySet[User, Any]:
        built.append(then)
        return User.objects.filter(Q(date_joined__gt=then) | Q(last_login__gt=then)).order_by("pk").values_list("pk")

    ask = compiled_once(joined, marker=datetime.max.replace(tzinfo=UTC))
    everybody = list(joined(LONG_AGO))
    newest = max(User.objects.values_list("date_joined", flat=True))
    built.clear()
    with django_assert_num_queries(2):
        assert ask(LONG_AGO) == everybody
        assert ask(newest + timedelta(seconds=1)) == []
    assert len(everybody) > 1
    assert len(built) == 1


@pytest.mark.django_db
def test_shown_rows_read_parts_that_follow_each_other(cast: Cast) -> None:
    def show(rows: Sequence[User], start: int) -> list[str]:
        return [f"{start + place}: {row.username}" for place, row in enumerate(rows)]

    rows = User.objects.order_by("pk")
    names = [f"{place}: {name}" for place, name in enumerate(rows.values_list("username", flat=True))]
    shown = ShownRows(rows, show)
    assert (len(shown), list(shown), shown[0], shown[-1]) == (len(names), names, names[0], names[-1])
    for part in (slice(1, 3), slice(None), slice(-2, None), slice(3, 1), slice(len(names), None), slice(0, 99)):
        assert shown[part] == names[part]
    for part in (slice(None, None, 2), slice(None, None, -1)):
        with pytest.raises(ValueError, match="rows that follow each other"):
            shown[part]
    with pytest.raises(IndexError):
        shown[len(names)]
