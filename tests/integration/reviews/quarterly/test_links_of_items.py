"""An item of the agenda leads only to a page that its reader can open."""

from datetime import datetime

import pytest
from django.test import Client

from governance.budgets.models import BudgetAccount
from governance.people.models import Team
from governance.people.queries.people import person_of
from reviews.quarterly.models import AgendaItem
from reviews.quarterly.queries.cycles import items_of
from reviews.quarterly.rules import may_see_cycles
from tests.factories.cycles import make_cycle, make_item
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget

pytestmark = pytest.mark.django_db


def test_only_those_who_may_see_a_budget_find_the_link_to_it(cast: Cast, now: datetime) -> None:
    team = Team.objects.get(slug="search")
    allocate_budget(by=cast.finance, now=now, team=team)
    account = BudgetAccount.objects.get(unit="USD")
    path = f"/budgets/search/{account.quarter}/USD/"
    cycle = make_cycle(now=now)
    AgendaItem.objects.filter(pk=make_item(cycle=cycle, by=cast.approver, now=now).pk).update(page=path, team=team)
    readers = [user for user in cast.everybody() if may_see_cycles(person_of(user))]
    linked = set()
    for user in readers:
        client = Client()
        client.force_login(user)
        is_linked = f'href="{path}"' in client.get(f"/cycles/{cycle.quarter}/").content.decode()
        (view,) = items_of(cycle, person=person_of(user), is_present=False)["items"]
        assert is_linked == (client.get(path).status_code == 200) == bool(view.page)
        linked |= {user.username} if is_linked else set()
    assert linked == {"approver", "finance", "admin", "auditor"}
    assert len(readers) > len(linked)
