"""Store the report of a cluster instead of its last one, and remove a cluster that is gone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction

from governance.audit.actions import record as audit
from governance.inventory.models import ModelVersion
from governance.people.models import Team
from governance.people.queries.people import person_of
from reviews.requests.enums import ENVIRONMENT_NAMES
from reviews.workloads.models import ClusterReport, ObservedWorkload
from reviews.workloads.rules import check_remove_cluster, check_replace, check_report
from weighbridge.client.workloads.report import Workload, WorkloadReport
from weighbridge.core.errors import Invalid, WrongState

REPORT_LOCK = 0x574B4C44  # an arbitrary number that no other code locks
CLOCK_DIFFERENCE_MAX = timedelta(minutes=5)
CLUSTERS_MAX = 20
REASON_CHARS_MIN = 3
Key = tuple[object, ...]


def store_report(*, report: WorkloadReport, by: User, now: datetime) -> ClusterReport:
    """Store the report instead of the last one of its cluster and environment.

    Raises Invalid for a time in the future, WrongState for a report that is older than the stored one. A report
    authorizes nothing: what it claims is compared with the feed whenever somebody looks.
    """
    check_report(person_of(by))
    if report.environment not in ENVIRONMENT_NAMES:
        raise Invalid(f"The environment must be one of {', '.join(ENVIRONMENT_NAMES)}.", field="environment")
    if report.observed_at > now + CLOCK_DIFFERENCE_MAX:
        text = f"observed_at is {report.observed_at - now} after the time of the server. Set the clock of the reporter."
        raise Invalid(text, field="observed_at", code="clock")
    with transaction.atomic():
        _lock()
        row = _row(report, by, now)
        is_same = row.digest == report.digest
        row.observed_at, row.received_at, row.digest = min(report.observed_at, now), now, report.digest
        row.save()
        # Whose team is not known yet may have one by now.
        if not is_same or row.workloads.filter(team=None).exists():
            _replace(row, report.workloads)
        if not is_same:
            details = {"environment": row.environment, "workloads": len(report.workloads), "digest": row.digest}
            audit.record(kind="workloads.reported", by=by, subject=("cluster", row.cluster), details=details, now=now)
    return row


def remove_cluster(*, report: ClusterReport, reason: str, by: User, now: datetime) -> None:
    """Remove a cluster that is gone, with its workloads. Another account may then report under its name."""
    check_remove_cluster(person_of(by))
    if len(reason.strip()) < REASON_CHARS_MIN:
        raise Invalid("Enter why the cluster is removed.", field="reason")
    with transaction.atomic():
        _lock()
        row = ClusterReport.objects.filter(pk=report.pk).first()
        if row is None:
            raise WrongState(f"{report} was removed already.")
        details = {"environment": row.environment, "workloads": row.workloads.count(), "digest": row.digest}
        row.delete()
        subject = ("cluster", report.cluster)
        audit.record(kind="workloads.cluster_removed", by=by, subject=subject, details=details, reason=reason, now=now)


def _lock() -> None:
    """Let one report at a time be stored, so that of two at once the later one sees the earlier."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REPORT_LOCK])


def _row(report: WorkloadReport, by: User, now: datetime) -> ClusterReport:
    """The row of the cluster, checked; a new one that is not saved yet if there is none."""
    row = ClusterReport.objects.filter(cluster=report.cluster, environment=report.environment).first()
    if row is None:
        if ClusterReport.objects.filter(reporter=by).count() >= CLUSTERS_MAX:
            text = f"{by.username} reports {CLUSTERS_MAX} clusters already, which is the limit for an account."
            raise WrongState(f"{text} A platform lead can remove those that are gone.", code="too_many")
        return ClusterReport(cluster=report.cluster, environment=report.environment, reporter=by)
    check_replace(person_of(by), reporter_id=row.reporter_id, cluster=row.cluster)
    if min(report.observed_at, now) < row.observed_at:
        text = f"A later report of {row} is stored: it was observed at {row.observed_at:%Y-%m-%d %H:%M:%S} UTC."
        raise WrongState(text, code="older_report", field="observed_at")
    return row


def _replace(row: ClusterReport, workloads: Iterable[Workload]) -> None:
    """Store the workloads instead of the last ones; who stays keeps the time of the first report."""
    seen, listed = {_key(one): one.first_seen_at for one in row.workloads.all()}, list(workloads)
    row.workloads.all().delete()
    teams, registered = _teams(listed), _registered(listed)
    ObservedWorkload.objects.bulk_create(
        ObservedWorkload(
            report=row,
            **{name: getattr(one, name) for name in FIELDS},
            model_digests=list(one.model_digests),
            gpus=dict(one.gpus),
            first_seen_at=seen.get(one.key, row.observed_at),
            team_id=teams.get(one.owner) or next(filter(None, map(registered.get, _digests(one))), None),
        )
        for one in listed
    )


FIELDS = ("namespace", "name", "image", "image_digest", "since", "replicas", "owner")


def _key(row: ObservedWorkload) -> Key:
    """`Workload.key` of a stored workload."""
    return (row.namespace, row.name, row.image, row.image_digest, tuple(row.model_digests))


def _digests(workload: Workload) -> tuple[str, ...]:
    return (workload.image_digest, *workload.model_digests)


def _teams(workloads: Iterable[Workload]) -> dict[str, int]:
    """The teams that the labels of owners name."""
    return dict(Team.objects.filter(slug__in={one.owner for one in workloads}).values_list("slug", "pk"))


def _registered(workloads: Iterable[Workload]) -> dict[str, int]:
    """The team that registered each artifact first."""
    digests = {digest for one in workloads for digest in _digests(one)}
    rows = ModelVersion.objects.filter(digest__in=digests).order_by("-registered_at", "-pk")
    return dict(rows.values_list("digest", "asset__team"))
