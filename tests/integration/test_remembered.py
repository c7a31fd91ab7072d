"""What a remembered factory puts down fits what was there before it."""

import pytest
from django.contrib.auth.models import User
from django.db import connection

from governance.people.models import Team
from tests import remembered as memory
from tests.remembered import remembered


@remembered
def make_team() -> Team:
    return Team.objects.create(name="Remembered", slug="remembered")


@remembered
def make_other_team() -> Team:
    """A team beside it: its table is the same, so that what it left holds the first team too."""
    return Team.objects.create(name="Another", slug="another")


def forget(slug: str) -> None:
    """As when so many others are remembered that there is no room for it."""
    for key, walked in list(memory.WALKS.items()):
        if isinstance(walked.result, Team) and walked.result.slug == slug:
            del memory.WALKS[key]


@pytest.mark.django_db
@pytest.mark.parametrize(("time", "is_forgotten"), [(1, False), (2, True), (3, False), (4, True)])
def test_what_is_walked_again_is_not_replaced_by_what_was_remembered_after_it(time: int, is_forgotten: bool) -> None:
    """The copies of a walk have the IDs of that walk, also after another one took its place."""
    if is_forgotten:
        forget("remembered")
    team = make_team()
    other = make_other_team()
    assert list(Team.objects.filter(slug__in=["remembered", "another"]).order_by("pk")) == [team, other]


@pytest.mark.django_db
def test_a_write_between_two_factories_is_kept() -> None:
    team = make_team()
    User.objects.create_user("between")
    other = make_other_team()
    assert User.objects.filter(username="between").exists()
    assert set(Team.objects.filter(slug__in=["remembered", "another"])) == {team, other}


@pytest.mark.django_db
@pytest.mark.parametrize("time", [1, 2])
def test_new_rows_get_other_ids_than_remembered_rows_after_the_numbering_was_set_back(time: int) -> None:
    """What is set back outlives the transaction of the test that does it."""
    team = make_team()
    new = Team.objects.create(name=f"New {time}", slug=f"new-{time}")
    assert set(Team.objects.all()) == {team, new}
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('people_team', 'id'), %s, false)", [team.pk])
