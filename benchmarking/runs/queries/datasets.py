"""Reads of evaluation sets."""

from django.db.models import Q, QuerySet

from benchmarking.runs.domain.evaluation_sets import DatasetStatus, EvaluationSet, reason_not_measured
from benchmarking.runs.models import Dataset
from benchmarking.runs.rules import may_govern
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.rules import sees_everything
from weighbridge.core.errors import Invalid, NotFound


def visible_to(person: Person) -> QuerySet[Dataset]:
    """The sets that the person may see: those that were governed, and those of their own teams."""
    rows = Dataset.objects.select_related("team", "registered_by", "governed_by").order_by("-registered_at", "-pk")
    if not person.is_active:
        return rows.none()
    if sees_everything(person) or may_govern(person):
        return rows
    return rows.filter(Q(governed_at__isnull=False) | Q(team__slug__in=person.teams))


def listed(*, person: Person, status: str = "") -> QuerySet[Dataset]:
    """The sets that the person may see, newest first, optionally of one status."""
    rows = visible_to(person)
    return rows.filter(status=status) if status else rows


def usable_by(person: Person) -> QuerySet[Dataset]:
    """The sets that a request of the person may use: governed ones, and those of their own teams; none is retired."""
    rows = visible_to(person).exclude(status=DatasetStatus.RETIRED)
    return rows.filter(Q(status=DatasetStatus.GOVERNED) | Q(team__slug__in=person.teams))


def find(*, dataset_id: int, person: Person) -> Dataset:
    """The set; raises NotFound if there is none that this person may see."""
    row = visible_to(person).filter(pk=dataset_id).first()
    if row is None:
        raise NotFound(f"There is no evaluation set {dataset_id} that you can see.")
    return row


def find_usable(*, digest: str, person: Person) -> Dataset:
    """The set with this digest that a request of the person may use, a governed one first. Raises Invalid."""
    rows = usable_by(person).filter(digest=digest)
    if not rows:
        text = f"There is no evaluation set {digest} that you can use; register it first, or choose a governed one."
        raise Invalid(text, field="dataset")
    return min(rows, key=lambda row: (row.status != DatasetStatus.GOVERNED, row.pk))


def reason_declared(data: Dataset | None, *, team: str, accepted: tuple[str, ...] = ()) -> str:
    """Why quality on this set is declared and not measured for a request of the team; "" if it is measured.

    The teams of its data steward now count too: those whose requester they are, or one of whose models they own.
    """
    if data is None:
        return "There is no evaluation set."
    steward, now_in = data.governed_by_id, set[str]()
    if steward is not None:
        own = Team.objects.filter(Q(role_grants__user=steward) | Q(models__owner=steward))
        now_in = set(own.values_list("slug", flat=True))
    known = EvaluationSet(
        name=data.name,
        version=data.version,
        purpose=data.purpose,
        status=data.status,
        steward_teams=frozenset(data.steward_teams) | now_in,
    )
    return reason_not_measured(known, team=team, accepted=accepted)
