"""Reads of what runs: the workloads of the last reports that a person may see, with the answer for each."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Count, Q, QuerySet

from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable
from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from reviews.workloads.domain.approval import Approval, WorkloadApproval, approval_of
from reviews.workloads.models import ClusterReport, ObservedWorkload
from reviews.workloads.queries.costs import WorkloadCost, costs_of
from reviews.workloads.queries.standings import answers_for
from weighbridge.core.errors import NotFound

SILENT_AFTER = timedelta(hours=24)
"""The age of a report from which on a page says that the cluster does not report."""
BLOCK = 1_000
OPEN, CLAIMED, ALL = "open", "claimed", "all"
CHOICES = (OPEN, *Approval, CLAIMED, ALL)
COLUMNS = (
    *("Cluster", "Environment", "Namespace", "Workload", "Answer", "Reason", "By claim", "Image", "Image digest"),
    *("Models", "Since", "Replicas", "GPUs", "Owner", "Team", "USD this quarter", "Last report"),
)
Artifacts = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True)
class WorkloadSelection:
    """The filters of the list. `approval` is an answer, or one of `open` (nobody approved it), `claimed` and `all`."""

    search: str = ""
    team: str = ""
    environment: str = ""
    cluster: str = ""
    approval: str = OPEN


@dataclass(frozen=True)
class WorkloadView:
    """A workload with the answer for it. `since_is_reported` is false where only the first report is known."""

    id: int
    cluster: str
    environment: str
    namespace: str
    name: str
    approval: str
    reason: str
    is_claimed: bool
    image: str
    image_digest: str
    model_digests: tuple[str, ...]
    since: datetime
    since_is_reported: bool
    replicas: int
    gpus: Mapping[str, int]
    owner: str
    team: str
    usd: Decimal | None
    gpu_hours: Decimal | None
    observed_at: datetime


@dataclass(frozen=True)
class ClusterView:
    """A cluster with its last report. A silent cluster is not a stopped one: what it ran then may run now."""

    id: int
    cluster: str
    environment: str
    observed_at: datetime
    received_at: datetime
    reporter: str
    workloads: int
    is_silent: bool


@dataclass(frozen=True)
class StoredReport:
    """A stored report, with the number of workloads that have each answer."""

    cluster: str
    environment: str
    observed_at: datetime
    counts: Mapping[str, int]


def visible_to(person: Person) -> QuerySet[ObservedWorkload]:
    """The workloads of the teams whose work the person may see, as in the inventory."""
    rows = ObservedWorkload.objects.select_related("report", "team")
    if sees_everything(person):
        return rows
    return rows.filter(team__slug__in=person.teams) if person.is_active else rows.none()


def clusters(*, person: Person, now: datetime) -> list[ClusterView]:
    """The clusters with workloads that the person may see, or that they report, by name."""
    rows = ClusterReport.objects.select_related("reporter").order_by("cluster", "environment")
    seen = visible_to(person)
    if not sees_everything(person):
        rows = rows.filter(Q(workloads__in=seen) | Q(reporter_id=person.id)).distinct()
    counts = dict(seen.order_by().values_list("report").annotate(Count("pk")))
    return [
        ClusterView(
            id=row.pk,
            cluster=row.cluster,
            environment=row.environment,
            observed_at=row.observed_at,
            received_at=row.received_at,
            reporter=row.reporter.username,
            workloads=counts.get(row.pk, 0),
            is_silent=now - row.observed_at > SILENT_AFTER,
        )
        for row in rows
    ]


def find_cluster(*, cluster: str, environment: str, person: Person) -> ClusterReport:
    """The report of a cluster. Raises NotFound if there is none or the person sees not every team's."""
    row = ClusterReport.objects.filter(cluster=cluster, environment=environment).first()
    if row is None or not sees_everything(person):
        raise NotFound(f"There is no cluster {cluster} in {environment} that you can see.")
    return row


def selected(*, person: Person, filters: WorkloadSelection, now: datetime) -> list[tuple[int, WorkloadApproval]]:
    """The ids of the selected workloads with their answers: denied first, then unknown; by cluster and name."""
    rows = _filtered(person, filters).order_by("report__cluster", "report__environment", "namespace", "name", "pk")
    columns = ("pk", "report__environment", "image_digest", "model_digests")
    listed = [(pk, (place, image, tuple(models))) for pk, place, image, models in rows.values_list(*columns)]
    approvals = approvals_of({artifacts for _, artifacts in listed}, now=now)
    kept = [(pk, approvals[artifacts]) for pk, artifacts in listed if _fits(approvals[artifacts], filters.approval)]
    order = list(Approval)
    return sorted(kept, key=lambda each: order.index(each[1].approval))


def approvals_of(several: Iterable[Artifacts], *, now: datetime) -> dict[Artifacts, WorkloadApproval]:
    """The answers for environments with the image and the models that run there, in few queries."""
    by_environment: dict[str, list[Artifacts]] = defaultdict(list)
    for each in several:
        by_environment[each[0]].append(each)
    approvals = {}
    for environment, listed in by_environment.items():
        digests = {digest for _, image, models in listed for digest in (image, *models)}
        answers = answers_for(digests=digests, environment=environment, now=now)
        for each in listed:
            approvals[each] = approval_of(image_digest=each[1], model_digests=each[2], answers=answers)
    return approvals


def views(several: Sequence[tuple[int, WorkloadApproval]], *, person: Person, now: datetime) -> list[WorkloadView]:
    """The selected workloads, in their order, with what the person may see of their bills in the current quarter."""
    rows = ObservedWorkload.objects.select_related("report", "team").in_bulk([pk for pk, _ in several])
    costs = costs_of(list(rows.values()), person=person, now=now)
    return [_view(rows[pk], approval, costs.get(pk)) for pk, approval in several if pk in rows]


def stored(report: ClusterReport, *, now: datetime) -> StoredReport:
    """The report, with how many of its workloads have each answer."""
    columns = ("image_digest", "model_digests")
    listed = [(report.environment, image, tuple(models)) for image, models in report.workloads.values_list(*columns)]
    approvals = approvals_of(listed, now=now)
    counts = Counter(approvals[each].approval for each in listed)
    by_answer = {approval.value: counts[approval] for approval in Approval}
    return StoredReport(report.cluster, report.environment, report.observed_at, by_answer)


def table(*, person: Person, filters: WorkloadSelection, now: datetime) -> ExportTable:
    """All pages of the list as a table; `BLOCK` workloads are read at once."""
    several = selected(person=person, filters=filters, now=now)
    blocks = (several[start : start + BLOCK] for start in range(0, len(several), BLOCK))
    rows = (view for block in blocks for view in views(block, person=person, now=now))
    return ExportTable("workloads", COLUMNS, map(_cells, rows), len(several))


def _filtered(person: Person, filters: WorkloadSelection) -> QuerySet[ObservedWorkload]:
    rows = visible_to(person)
    words = filters.search.strip()
    if words:
        by_digest = Q(image_digest=words) | Q(model_digests__contains=[words])
        in_texts = (Q(**{f"{name}__icontains": words}) for name in ("name", "namespace", "image", "owner"))
        for each in in_texts:
            by_digest |= each
        rows = rows.filter(by_digest)
    wanted = {
        "team__slug": filters.team,
        "report__environment": filters.environment,
        "report__cluster": filters.cluster,
    }
    return rows.filter(**{name: value for name, value in wanted.items() if value})


def _fits(found: WorkloadApproval, wanted: str) -> bool:
    if wanted == OPEN:
        return found.approval.is_open
    if wanted == CLAIMED:
        return found.is_claimed
    return wanted == ALL or found.approval.value == wanted


def _view(row: ObservedWorkload, found: WorkloadApproval, cost: WorkloadCost | None) -> WorkloadView:
    return WorkloadView(
        id=row.pk,
        cluster=row.report.cluster,
        environment=row.report.environment,
        namespace=row.namespace,
        name=row.name,
        approval=found.approval.value,
        reason=found.reason,
        is_claimed=found.is_claimed,
        image=row.image,
        image_digest=row.image_digest,
        model_digests=tuple(row.model_digests),
        since=row.running_since,
        since_is_reported=row.since is not None,
        replicas=row.replicas,
        gpus=row.gpus,
        owner=row.owner,
        team=row.team.slug if row.team else "",
        usd=cost.usd if cost else None,
        gpu_hours=cost.gpu_hours if cost else None,
        observed_at=row.report.observed_at,
    )


def gpus_text(gpus: Mapping[str, int]) -> str:
    """Accelerators by type, like `8 H100, 2 L4`."""
    return ", ".join(f"{count} {name}" for name, count in sorted(gpus.items()))


def _cells(row: WorkloadView) -> Sequence[Cell]:
    return (
        *(row.cluster, row.environment, row.namespace, row.name, row.approval, row.reason, row.is_claimed),
        *(row.image, row.image_digest, " ".join(row.model_digests), row.since, row.replicas, gpus_text(row.gpus)),
        *(row.owner, row.team, row.usd, row.observed_at),
    )
