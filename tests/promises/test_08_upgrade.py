"""Upgrades: whatever migration an installation with data stands at, the head takes it over, row for row.

The data is that of a decided request. A copy of the database is taken back to each earlier state, migration by
migration, which leaves in its tables what an installation of that day would hold, and is then upgraded to the head.
"""

import os
from collections.abc import Iterator
from datetime import datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from governance.audit.queries.trail import first_broken
from reviews.authorizations.models import Decision
from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.people import make_cast
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises import harness_report
from tests.tables import own_labels

pytestmark = pytest.mark.nightly

__all__ = ["checklist", "installation", "now", "policy", "signing_key_pem"]
IS_LONG = os.environ.get("WEIGHBRIDGE_PROMISES") == "long"
FILLED = {"search_index_searchentry", "bills_monthsum"}
Node = tuple[str, str]
Rows = dict[str, int]


@pytest.fixture
def copied(transactional_db: None, policy: object, now: datetime) -> Iterator[None]:
    """A copy of a database with data, thrown away afterwards: the original never leaves the head."""
    walks.make_decided(cast=make_cast(now=now), now=now)
    original = connection.settings_dict["NAME"]
    copy = f"{original}_upgrade"
    _instead(original, f'DROP DATABASE IF EXISTS "{copy}"', f'CREATE DATABASE "{copy}" TEMPLATE "{original}"')
    connection.settings_dict["NAME"] = copy
    yield
    connection.close()
    connection.settings_dict["NAME"] = original
    _instead(original, f'DROP DATABASE "{copy}"')


def _instead(original: str, *orders: str) -> None:
    """Orders to the server from outside the database they are about."""
    connection.close()
    connection.settings_dict["NAME"] = "postgres"
    with connection.cursor() as cursor:
        for order in orders:
            cursor.execute(order)
    connection.close()
    connection.settings_dict["NAME"] = original


def rows() -> Rows:
    """How many rows each table of ours has, but for those that a migration fills from the others."""
    labels = tuple(f"{label}_" for label in own_labels())
    names = [name for name in connection.introspection.table_names() if name.startswith(labels) and name not in FILLED]
    with connection.cursor() as cursor:
        found = {}
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}"')
            found[name] = cursor.fetchone()[0]
    return found


def states() -> list[Node]:
    """Our migrations, in the order in which they are applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)
    return [(each.app_label, each.name) for each, _ in plan if each.app_label in own_labels()]


def go_back(newest: Node) -> None:
    """Unapply one migration."""
    executor = MigrationExecutor(connection)
    parents = [node for node in executor.loader.graph.node_map[newest].parents if node.key[0] == newest[0]]
    executor.migrate([parent.key for parent in parents] or [(newest[0], None)])


def upgrade(*targets: Node) -> None:
    """Apply what leads to the targets, or to the head."""
    executor = MigrationExecutor(connection)
    executor.migrate(list(targets) or executor.loader.graph.leaf_nodes())


def check_kept(before: Rows, state: Node) -> None:
    after = rows()
    assert {name: after.get(name) for name in before} == before, state
    assert first_broken() is None, state


def test_every_state_with_data_is_taken_over(copied: None) -> None:
    """Each migration meets the rows of its day; the oldest state is then upgraded at once. The long form does so with
    each.
    """
    at_head = rows()
    assert len([name for name, count in at_head.items() if count]) > 15
    order = states()
    assert len(order) >= 11
    for place in reversed(range(1, len(order))):  # where nothing is applied there is no data
        go_back(order[place])
        before = rows()
        assert sum(before.values()) > 0
        upgrade(*(order[place:] if IS_LONG else [order[place]]))
        check_kept(before, order[place])
        for node in reversed(order[place:] if IS_LONG else [order[place]]):
            go_back(node)
    before = rows()
    upgrade()
    check_kept(before, order[0])
    lost = sum(max(0, count - rows().get(name, 0)) for name, count in before.items())
    harness_report.tell(
        "upgrade", __file__, states=len(order), tables=len(at_head), rows=sum(at_head.values()), lost=lost
    )


def test_the_head_says_the_same_of_a_request_as_before(copied: None) -> None:
    said = (ReviewRequest.objects.get().state, Decision.objects.values_list("outcome", flat=True).get())
    order = states()
    for node in reversed(order[order.index(("authorizations", "0001_initial")) + 1 :]):
        go_back(node)
    upgrade()
    assert (ReviewRequest.objects.get().state, Decision.objects.values_list("outcome", flat=True).get()) == said
    assert said == ("decided", "approved")
