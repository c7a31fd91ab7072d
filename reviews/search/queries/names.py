"""What has a name, or a number and a text, and is found by words: as far as the person may see it."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q
from django.urls import reverse

from benchmarking.runs.queries import datasets, runs
from governance.bills.queries import bills
from governance.bills.rules import may_see_bills
from governance.budgets.models import CostCenter
from governance.budgets.rules import may_see_budget
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.queries.people import name_of, named_like
from governance.people.rules import sees_everything
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.quarterly.models import ActionItem
from reviews.quarterly.queries import cycles
from reviews.quarterly.rules import may_see_cycles
from reviews.search.domain import SearchHit

SHOWN = 6
"""How many hits of a kind are shown."""


def people(words: str, *, person: Person) -> Iterator[SearchHit]:
    """People with their requests, for whoever sees those of all teams."""
    if not sees_everything(person):
        return
    rows = User.objects.filter(named_like(words), is_active=True).order_by("username")
    for row in rows[:SHOWN]:
        yield SearchHit(name_of(row), f"{reverse('reviews:list')}?{urlencode({'q': row.username})}", row.username)


def teams(words: str, *, person: Person) -> Iterator[SearchHit]:
    """Teams with their requests."""
    rows = Team.objects.filter(Q(name__icontains=words) | Q(slug__icontains=words)).order_by("name")
    if not sees_everything(person):
        rows = rows.filter(slug__in=person.teams)
    for row in rows[:SHOWN]:
        yield SearchHit(row.name, f"{reverse('reviews:list')}?{urlencode({'team': row.slug})}", row.slug)


def evaluation_sets(words: str, *, person: Person) -> Iterator[SearchHit]:
    """Evaluation sets."""
    for row in datasets.visible_to(person).filter(Q(name__icontains=words) | Q(digest=words))[:SHOWN]:
        yield SearchHit(str(row), reverse("benchmarking:dataset", args=[row.pk]), row.get_status_display())


def measured(words: str, *, person: Person) -> Iterator[SearchHit]:
    """The latest runs of the models with such a name."""
    rows = runs.visible_to(person).filter(model_version__asset__name__icontains=words).order_by("-pk")
    for row in rows.defer("result", "signed_result", "plan", "equivalence")[:SHOWN]:
        yield SearchHit(f"Run {row.pk}", reverse("benchmarking:run", args=[row.pk]), str(row.model_version))


def received_bills(words: str, *, person: Person) -> Iterator[SearchHit]:
    """Bills, by the name of the file."""
    if may_see_bills(person):
        for row in bills.listed().filter(name__icontains=words)[:SHOWN]:
            yield SearchHit(f"{row} {row.name}", reverse("governance:bill", args=[row.pk]))


def cost_centers(words: str, *, person: Person) -> Iterator[SearchHit]:
    """Cost centers, on the page of budgets."""
    rows = CostCenter.objects.filter(Q(name__icontains=words) | Q(slug__icontains=words)).order_by("name", "pk")
    seen = (
        row for row in rows.select_related("team") if may_see_budget(person, team=row.team.slug if row.team else "")
    )
    for row, _ in zip(seen, range(SHOWN), strict=False):
        yield SearchHit(row.name, f"{reverse('governance:budgets')}#{row.slug}", row.level)


def rules(words: str, *, person: Person) -> Iterator[SearchHit]:
    """The newest version of each policy and checklist."""
    for model in (PolicyVersion, ChecklistVersion):
        rows = model.objects.filter(name__icontains=words).order_by("name", "-number").distinct("name")
        for row in rows[:SHOWN]:
            yield SearchHit(str(row), reverse("governance:policy", args=[row.plural, row.name, row.number]), row.state)


def action_items(words: str, *, person: Person) -> Iterator[SearchHit]:
    """Action items: one's own, and all for whoever sees the quarterly review."""
    rows = ActionItem.objects.filter(Q(decision__rationale__icontains=words) | Q(ref__icontains=words))
    if not may_see_cycles(person):
        rows = rows.filter(owner=person.id) if person.is_active else rows.none()
    for row in rows.select_related("decision").order_by("-pk")[:SHOWN]:
        yield SearchHit(f"{row.ref} {row.decision.rationale}", reverse("reviews:action", args=[row.ref]))


def quarters(words: str, *, person: Person) -> Iterator[SearchHit]:
    """Quarterly reviews."""
    if may_see_cycles(person):
        for row in cycles.list_cycles(person=person).filter(quarter__icontains=words.strip())[:SHOWN]:
            yield SearchHit(row.quarter, reverse("reviews:cycle", args=[row.quarter]))
