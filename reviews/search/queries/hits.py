"""What words find: pages, steps, and everything with a name, as far as the person may see it."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from governance.findings import queries as findings
from governance.inventory import queries as inventory
from governance.people.approvals import queries as approvals
from governance.people.domain.roles import Person
from governance.people.queries.people import name_of
from governance.saved_views.queries import views_of
from reviews.requests.queries.requests import RequestSelection, list_requests
from reviews.search.domain import HitGroup, SearchHit
from reviews.search.queries import names
from reviews.search.queries.names import SHOWN
from reviews.search.queries.pages import pages, steps


def groups_of(words: str, *, person: Person, sees_tables: bool) -> tuple[HitGroup, ...]:
    """The hits of each kind, at most six each, without empty kinds. `sees_tables`: see `may_see_tables`."""
    return tuple(group for group in _groups(words, person, sees_tables) if group.hits) if words.strip() else ()


def _groups(words: str, person: Person, sees_tables: bool) -> Iterator[HitGroup]:
    query = urlencode({"q": words})
    yield HitGroup("Pages", tuple(pages(words, person=person, sees_tables=sees_tables)))
    yield HitGroup("Steps", tuple(steps(words, person=person)))
    yield HitGroup("Saved views", tuple(_views(words, person)))
    yield HitGroup("Requests", tuple(_requests(words, person)), f"{reverse('reviews:list')}?{query}")
    yield HitGroup("Models", tuple(_models(words, person)), f"{reverse('governance:models')}?{query}")
    yield HitGroup("Findings", tuple(_findings(words, person)))
    yield HitGroup("Changes", tuple(_changes(words, person)))
    for title, find in NAMED.items():
        yield HitGroup(title, tuple(find(words.strip(), person=person)))


NAMED = {
    "Evaluation sets": names.evaluation_sets,
    "Runs": names.measured,
    "Policies and checklists": names.rules,
    "Action items": names.action_items,
    "Quarterly reviews": names.quarters,
    "Cost centers": names.cost_centers,
    "Bills": names.received_bills,
    "Teams": names.teams,
    "People": names.people,
}


def _views(words: str, person: Person) -> Iterator[SearchHit]:
    for row in views_of(person).filter(name__icontains=words)[:SHOWN]:
        yield SearchHit(row.name, row.address, row.get_list_name_display())


def _requests(words: str, person: Person) -> Iterator[SearchHit]:
    for row in list_requests(person=person, filters=RequestSelection(search=words))[:SHOWN]:
        note = f"{row.model_version}, {row.team.name}, {name_of(row.requester)}"
        yield SearchHit(f"{row.ref} {row.title}", reverse("reviews:detail", args=[row.ref]), note)


def _models(words: str, person: Person) -> Iterator[SearchHit]:
    for row in inventory.listed(person=person, filters=inventory.ModelSelection(search=words))[:SHOWN]:
        yield SearchHit(row.name, reverse("governance:model", args=[row.team.slug, row.slug]), row.team.name)


def _findings(words: str, person: Person) -> Iterator[SearchHit]:
    said = Q(subject__icontains=words) | Q(text__icontains=words)
    for row in findings.listed(person=person).filter(said)[:SHOWN]:
        yield SearchHit(f"{row} {row.subject}", reverse("governance:finding", args=[row.pk]), row.get_state_display())


def _changes(words: str, person: Person) -> Iterator[SearchHit]:
    for row in approvals.listed(person=person).filter(description__icontains=words)[:SHOWN]:
        yield SearchHit(
            f"{row} {row.description}", reverse("governance:change", args=[row.pk]), row.get_state_display()
        )
