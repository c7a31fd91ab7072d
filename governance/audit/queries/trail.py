"""Reads of the audit trail."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from governance.audit.models import AuditEvent
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable

COLUMNS = (
    "Position",
    "At",
    "Event",
    "About",
    "Subject",
    "By",
    "Through",
    "Reason",
    "Details",
    "Request ID",
    "Previous hash",
    "Hash",
)


@dataclass(frozen=True)
class TrailSelection:
    """Filters of the list. An empty field means no filter."""

    search: str = ""
    subject_type: str = ""
    kind: str = ""


def listed(filters: TrailSelection) -> QuerySet[AuditEvent]:
    """Events for a list, newest first."""
    rows = AuditEvent.objects.order_by("-position")
    words = filters.search.strip()
    if words:
        rows = rows.filter(
            Q(subject__icontains=words) | Q(actor__icontains=words) | Q(reason__icontains=words) | Q(request_id=words)
        )
    if filters.subject_type:
        rows = rows.filter(subject_type=filters.subject_type)
    if filters.kind:
        rows = rows.filter(kind__startswith=filters.kind)
    return rows


def table(filters: TrailSelection) -> ExportTable:
    """The complete list as a table."""
    rows = listed(filters)
    return ExportTable("audit", COLUMNS, map(_cells, rows), rows.count())


def _cells(event: AuditEvent) -> Sequence[Cell]:
    details = json.dumps(event.details, ensure_ascii=False, sort_keys=True)
    return (
        event.position,
        event.at,
        event.kind,
        event.subject_type,
        event.subject,
        event.actor,
        event.source,
        event.reason,
        details,
        event.request_id,
        event.previous_hash,
        event.hash,
    )


def of_subject(subject_type: str, *, subject: str, limit: int = 30) -> list[AuditEvent]:
    """The latest events about one thing, newest first."""
    rows = AuditEvent.objects.filter(subject_type=subject_type, subject=subject).order_by("-position")
    return list(rows[:limit])


def subject_types() -> list[str]:
    """All subject types in the trail."""
    return list(AuditEvent.objects.order_by("subject_type").values_list("subject_type", flat=True).distinct())


def head() -> AuditEvent | None:
    """The last event. Its hash identifies the whole trail."""
    return AuditEvent.objects.order_by("-position").first()
