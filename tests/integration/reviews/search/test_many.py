"""The search among many: how much it reads, that it finds the old and the short, and that no entry goes stale."""

import importlib
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection

from governance.findings.actions import Sighting, raise_once
from governance.findings.enums import Severity
from governance.findings.models import Finding
from governance.inventory.models import ModelAsset
from governance.people.queries.people import person_of
from governance.search_index.models import BLOCK, SearchEntry
from governance.search_index.queries import ENTER_NOW, WantedEntries, found
from reviews.requests.models import ReviewRequest
from reviews.search.queries.hits import groups_of
from tests.factories.people import Cast
from tests.mass_history import fill
from tests.masses import asked

pytestmark = pytest.mark.django_db
MANY = 2 * BLOCK
READ_MAX = BLOCK * 3 // 2
"""A search reads one block of each kind: a whole one of requests, wherever their IDs begin, and few of the others. It
goes on to the next block only where the newest holds fewer rows than six that the person sees.
"""
LARGE = {"requests_reviewrequest", "search_index_searchentry"}


def titles(user: User, text: str, group: str = "Requests") -> list[str]:
    groups = groups_of(text, person=person_of(user), sees_tables=False)
    return [hit.title for each in groups if each.title == group for hit in each.hits]


def differences() -> list[tuple[object, ...]]:
    """The entries that are not as the things are, and the things without an entry."""
    with connection.cursor() as cursor:
        cursor.execute(ENTER_NOW)
        cursor.execute("""
            WITH now AS (SELECT * FROM search_entries()),
                 kept AS (SELECT kind::text, object_id, words, tags FROM search_index_searchentry)
            (TABLE now EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE now)
        """)
        return list(cursor.fetchall())


def test_no_entry_goes_stale(decided: ReviewRequest, cast: Cast, now: datetime) -> None:
    sighting = Sighting(kind="budget.overrun", subject="search", text="Over.", severity=Severity.HIGH, key="over")
    raise_once(sighting=sighting, by=None, now=now)
    kinds = {"request", "model", "run", "dataset", "finding", "person"}
    assert differences() == []
    assert set(SearchEntry.objects.values_list("kind", flat=True)) >= kinds
    asset = decided.model_version.asset
    ModelAsset.objects.filter(pk=asset.pk).update(name="Sorter of parcels", owner=cast.approver)
    User.objects.filter(pk=cast.author.pk).update(first_name="Grace")
    ReviewRequest.objects.filter(pk=decided.pk).update(title="Another title", state=decided.state)
    Finding.objects.update(owner=cast.finance)
    assert differences() == []
    assert titles(cast.approver, "parcels") == [f"{decided.ref} Another title"]
    assert titles(cast.approver, "grace", "People") != []
    User.objects.create_user("passing").delete()
    assert differences() == []


def test_an_upgrade_enters_what_exists_in_parts(decided: ReviewRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    filling = importlib.import_module("reviews.search.migrations.0002_entries_of_what_exists")
    monkeypatch.setattr(filling, "AT_ONCE", 2)
    SearchEntry.objects.all().delete()
    assert differences() != []
    with connection.schema_editor() as editor:
        filling.enter(None, editor)
    assert differences() == []
    assert SearchEntry.objects.filter(kind="person").count() > filling.AT_ONCE


def test_a_row_that_does_not_change_its_words_leaves_its_entry_alone(decided: ReviewRequest) -> None:
    def version() -> object:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid FROM search_index_searchentry WHERE kind = 'request'")
            return cursor.fetchall()

    before = version()
    decided.save()
    assert version() == before


def test_a_search_among_many_reads_one_block(decided: ReviewRequest, cast: Cast) -> None:
    fill(decided, count=MANY)
    counts = set()
    for user in (cast.approver, cast.finance, cast.author, cast.outsider):
        for text in ("request about", "a", "nothing like it"):
            person = person_of(user)
            with asked() as statements:
                groups_of(text, person=person, sees_tables=False)
            counts.add(len(statements.statements))
            read = statements.rows_read()
            assert max(read.values()) <= READ_MAX < MANY, (user, text, read)
            assert not statements.scanned() & LARGE, (user, text)
    assert max(counts) <= 4
    newest = [f"MRR-2015-{number:06}" for number in range(MANY, MANY - 6, -1)]
    assert [title.split()[0] for title in titles(cast.approver, "request about")] == newest
    theirs = [title.split()[0] for title in titles(cast.outsider, "request about")]
    assert theirs == [f"MRR-2015-{number:06}" for number in range(MANY - 1 + MANY % 2, MANY - 12, -2)][:6]
    assert titles(cast.approver, decided.title[:20]) == [f"{decided.ref} {decided.title}"], "in the oldest block"
    assert titles(cast.outsider, decided.title[:20]) == []


@pytest.mark.parametrize("text", ["100 %", "a_b", r"c:\d", "é", "字", "O'Neill", "Straße", "{x}", '"'])
def test_every_character_is_found_as_it_is_written(draft: ReviewRequest, cast: Cast, text: str) -> None:
    ReviewRequest.objects.filter(pk=draft.pk).update(title=f"The {text} model")
    assert titles(cast.author, text) == [f"{draft.ref} The {text} model"]
    assert titles(cast.author, f"The {text} model".upper().replace("SS", "ß")) != []
    ReviewRequest.objects.filter(pk=draft.pk).update(title="The 100 x aXb c:d model")
    assert titles(cast.author, text) == []


def test_the_parts_of_words_need_not_follow_each_other_to_be_told_apart(draft: ReviewRequest, cast: Cast) -> None:
    """All parts of "abcab" are in "bcabca", but it is not a part of it."""
    ReviewRequest.objects.filter(pk=draft.pk).update(title="cabc abca bcab")
    assert titles(cast.author, "cabcab") == []
    assert titles(cast.author, "bc ab") != []


def test_a_digest_a_user_name_and_words_of_a_name_find_what_they_found(decided: ReviewRequest, cast: Cast) -> None:
    whole = f"{decided.ref} {decided.title}"
    assert titles(cast.approver, decided.model_version.digest) == [whole]
    assert titles(cast.approver, decided.model_version.digest[:-1]) == []
    assert titles(cast.approver, cast.author.username) == [whole]
    assert titles(cast.approver, cast.author.username[:-1]) == []
    names = titles(cast.approver, f"{cast.reviewer_one.last_name} {cast.reviewer_one.first_name[:3]}", "People")
    assert names == [cast.reviewer_one.get_full_name()]


def test_at_most_so_many_are_found(decided: ReviewRequest) -> None:
    fill(decided, count=30)
    [ids] = found([WantedEntries(kind="request", phrases=("request about",), most=7)])
    newest = ReviewRequest.objects.order_by("-pk").values_list("pk", flat=True)[:7]
    assert ids == list(newest)
