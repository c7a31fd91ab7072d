"""Queries that are compiled once answer as if they were built for each value."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from pytest_django.fixtures import DjangoAssertNumQueries

from governance.site.queries import compiled_once
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
