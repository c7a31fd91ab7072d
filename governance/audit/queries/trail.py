"""Reads of the audit trail."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from governance.audit.domain import chain
from governance.audit.models import AuditEvent
from governance.exports.domain.spreadsheets import Cell
from governance.exports.domain.tables import ExportTable

COLUMNS = {
    "Position": "position",
    "At": "at",
    "Event": "kind",
    "About": "subject_type",
    "Subject": "subject",
    "By": "actor",
    "Through": "source",
    "Reason": "reason",
    "Details": "details",
    "Request ID": "request_id",
    "Previous hash": "previous_hash",
    "Hash": "hash",
}
"""The heads of an exported trail, and the fields."""
HASHED = (
    "position",
    "kind",
    "actor_id",
    "actor",
    "source",
    "subject_type",
    "subject",
    "details",
    "reason",
    "request_id",
)

_SUBJECT_TYPES = """
WITH RECURSIVE types AS (
  (SELECT subject_type FROM audit_auditevent ORDER BY subject_type LIMIT 1)
  UNION ALL
  SELECT (SELECT subject_type FROM audit_auditevent AS event WHERE event.subject_type > types.subject_type
          ORDER BY subject_type LIMIT 1)
  FROM types WHERE types.subject_type IS NOT NULL
)
SELECT subject_type FROM types WHERE subject_type IS NOT NULL
"""


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
    return ExportTable("audit", tuple(COLUMNS), map(_cells, rows.iterator()), rows.count())


def _cells(event: AuditEvent) -> Sequence[Cell]:
    details = json.dumps(event.details, ensure_ascii=False, sort_keys=True)
    return [details if field == "details" else getattr(event, field) for field in COLUMNS.values()]


def of_subject(subject_type: str, *, subject: str, limit: int = 30) -> list[AuditEvent]:
    """The latest events about one thing, newest first."""
    rows = AuditEvent.objects.filter(subject_type=subject_type, subject=subject).order_by("-position")
    return list(rows[:limit])


def subject_types() -> list[str]:
    """All subject types in the trail. The index is looked into once for each of them."""
    with connection.cursor() as cursor:
        cursor.execute(_SUBJECT_TYPES)
        return [name for (name,) in cursor.fetchall()]


def head() -> AuditEvent | None:
    """The last event. Its hash identifies the whole trail."""
    return AuditEvent.objects.order_by("-position").first()


def described(event: AuditEvent) -> dict[str, Any]:
    """The content of the event that its hash covers."""
    return {name: getattr(event, name) for name in HASHED} | {"at": event.at.isoformat()}


def first_broken() -> tuple[int, str] | None:
    """(position, reason) of the first event that breaks the chain, or None if the chain is unbroken."""
    rows = AuditEvent.objects.order_by("position").iterator(chunk_size=2000)
    broken = chain.first_broken(chain.ChainLink(described(row), row.previous_hash, row.hash) for row in rows)
    if broken is None:
        return None
    position = AuditEvent.objects.order_by("position").values_list("position", flat=True)[broken.index]
    return position, broken.reason
