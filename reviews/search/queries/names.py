"""Everything with a name, or with a number and a text: the kinds of things that words find, in the order shown."""

from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet, Value
from django.urls import reverse

from benchmarking.runs.queries import datasets, runs
from benchmarking.runs.rules import may_govern
from governance.bills.models import Bill
from governance.bills.rules import may_see_bills
from governance.budgets.models import CostCenter
from governance.budgets.rules import may_see_budget
from governance.findings import queries as findings
from governance.findings.enums import FindingState
from governance.findings.rules import may_read_findings
from governance.inventory import queries as inventory
from governance.people.approvals import queries as approvals
from governance.people.approvals.enums import ChangeState
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.rules import sees_everything
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from governance.saved_views.domain import LISTS
from governance.saved_views.queries import views_of
from governance.search_index.queries import WantedEntries
from reviews.quarterly.models import ActionItem, ReviewCycle
from reviews.quarterly.rules import may_see_cycles
from reviews.requests.queries import requests
from reviews.search.queries.kinds import SHOWN, Entered, Few, SearchKind, entries, name_of_user, text_of

CANDIDATES = 1_000
"""How many of the newest are looked at where no tag says who may see them."""


def _of_list(key: str) -> str:
    name, _, filters = key.partition("?")
    return f"{reverse(name)}?{filters}"


def _requests_with(name: str, value: str) -> str:
    return f"{reverse('reviews:list')}?{urlencode({name: value})}"


def _own_actions(person: Person) -> QuerySet[ActionItem]:
    rows = ActionItem.objects.all()
    if may_see_cycles(person):
        return rows
    return rows.filter(owner=person.id) if person.is_active else rows.none()


def _centers(person: Person) -> QuerySet[CostCenter]:
    rows = CostCenter.objects.order_by("name", "pk")
    if may_see_budget(person, team=""):
        return rows
    return rows.filter(team__slug__in=person.teams) if person.is_active else rows.none()


def _teams(person: Person) -> QuerySet[Team]:
    rows = Team.objects.order_by("name")
    return rows if sees_everything(person) else rows.filter(slug__in=person.teams)


def _people(person: Person) -> QuerySet[User]:
    rows = User.objects.filter(is_active=True)
    return rows if sees_everything(person) else rows.none()


def _named(rows: QuerySet[Team] | QuerySet[CostCenter], words: str) -> QuerySet[Team] | QuerySet[CostCenter]:
    return rows.filter(Q(name__icontains=words) | Q(slug__icontains=words))


def _documents(model: type[PolicyVersion] | type[ChecklistVersion]) -> Few:
    return Few(
        group="Policies and checklists",
        rows=lambda _: model.objects.order_by("name", "-number").distinct("name"),
        matching=lambda rows, words: rows.filter(name__icontains=words),
        title=text_of("name", Value(" v"), "number"),
        note=text_of("state"),
        key=text_of("name", Value("/"), "number"),
        path=lambda key: reverse("governance:policy", args=[model.plural, *key.split("/")]),
    )


KINDS: tuple[SearchKind, ...] = (
    Few(
        group="Saved views",
        rows=views_of,
        matching=lambda rows, words: rows.filter(name__icontains=words),
        title=text_of("name"),
        note=text_of("list_name"),
        words_of=LISTS.__getitem__,
        key=text_of("list_name", Value("?"), "filters"),
        path=_of_list,
    ),
    Entered(
        group="Requests",
        rows=requests.visible_to,
        wanted=lambda words, audience: requests.searched(words, audience=audience, most=SHOWN),
        title=text_of("ref", Value(" "), "title"),
        note=text_of(
            *("model_version__asset__name", Value(" "), "model_version__version", Value(", ")),
            *("team__name", Value(", "), name_of_user("requester__")),
        ),
        key=text_of("ref"),
        path=lambda key: reverse("reviews:detail", args=[key]),
    ),
    Entered(
        group="Models",
        rows=inventory.visible_to,
        wanted=lambda words, audience: inventory.searched(words, audience=audience, most=SHOWN),
        title=text_of("name"),
        note=text_of("team__name"),
        key=text_of("team__slug", Value("/"), "slug"),
        path=lambda key: reverse("governance:model", args=key.split("/")),
    ),
    Entered(
        group="Findings",
        rows=lambda person: findings.listed(person=person),
        sees_all=may_read_findings,
        wanted=entries("finding"),
        title=text_of(Value("FND-"), "pk", Value(" "), "subject"),
        note=text_of("state"),
        words_of=lambda state: FindingState(state).label,
        path=lambda key: reverse("governance:finding", args=[key]),
    ),
    Entered(
        group="Changes",
        rows=lambda person: approvals.listed(person=person),
        sees_all=lambda _: True,
        wanted=entries("change", most=CANDIDATES),
        title=text_of(Value("CHG-"), "pk", Value(" "), "description"),
        note=text_of("state"),
        words_of=lambda state: ChangeState(state).label,
        path=lambda key: reverse("governance:change", args=[key]),
    ),
    Entered(
        group="Evaluation sets",
        rows=datasets.visible_to,
        sees_all=lambda person: sees_everything(person) or may_govern(person),
        wanted=lambda words, audience: WantedEntries(
            kind="dataset", audience=audience, phrases=(words,), exact=(f"={words}",), most=SHOWN
        ),
        title=text_of("name", Value("@"), "version"),
        note=text_of("status"),
        path=lambda key: reverse("benchmarking:dataset", args=[key]),
    ),
    Entered(
        group="Runs",
        rows=runs.visible_to,
        wanted=entries("run"),
        title=text_of(Value("Run "), "pk"),
        note=text_of("model_version__asset__name", Value(" "), "model_version__version"),
        path=lambda key: reverse("benchmarking:run", args=[key]),
    ),
    _documents(PolicyVersion),
    _documents(ChecklistVersion),
    Entered(
        group="Action items",
        rows=_own_actions,
        sees_all=may_see_cycles,
        wanted=entries("action"),
        title=text_of("ref", Value(" "), "decision__rationale"),
        key=text_of("ref"),
        path=lambda key: reverse("reviews:action", args=[key]),
    ),
    Few(
        group="Quarterly reviews",
        rows=lambda person: ReviewCycle.objects.filter(Value(may_see_cycles(person))).order_by("-quarter"),
        matching=lambda rows, words: rows.filter(quarter__icontains=words),
        title=text_of("quarter"),
        key=text_of("quarter"),
        path=lambda key: reverse("reviews:cycle", args=[key]),
    ),
    Few(
        group="Cost centers",
        rows=_centers,
        matching=_named,
        title=text_of("name"),
        note=text_of("level"),
        key=text_of("slug"),
        path=lambda key: f"{reverse('governance:budgets')}?center={key}#{key}",
    ),
    Entered(
        group="Bills",
        rows=lambda person: Bill.objects.filter(Value(may_see_bills(person))),
        sees_all=may_see_bills,
        wanted=entries("bill"),
        title=text_of(Value("Bill "), "pk", Value(" "), "name"),
        path=lambda key: reverse("governance:bill", args=[key]),
    ),
    Few(
        group="Teams",
        rows=_teams,
        matching=_named,
        title=text_of("name"),
        note=text_of("slug"),
        key=text_of("slug"),
        path=lambda key: _requests_with("team", key),
    ),
    Entered(
        group="People",
        rows=_people,
        wanted=lambda words, audience: WantedEntries(
            kind="person", audience=audience, phrases=words.split(), by_words=True, most=CANDIDATES
        ),
        title=text_of(name_of_user()),
        note=text_of("username"),
        key=text_of("username"),
        path=lambda key: _requests_with("q", key),
    ),
)
