"""Findings of billed GPUs that nobody asked for: one for each resource and quarter, above an amount of the settings."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet

from governance.budgets.domain.quarters import Quarter
from governance.findings import actions as findings
from governance.findings.actions import Sighting
from governance.findings.enums import FindingState, Severity
from governance.findings.models import Finding
from reviews.workloads.queries.billed import BilledGpus, billed
from weighbridge.core.canonical import digest_of
from weighbridge.core.money import format_amount, format_usd

KIND = "gpus.unrequested"
NOTE = "A request, an authorization or a corrected bill explains these GPUs now."
SUBJECT_CHARS_MAX = 200
DUE_AFTER = timedelta(days=14)


def detect_unrequested_gpus(*, by: User | None = None, now: datetime) -> list[Finding]:
    """Raise a finding for each resource of this and the last quarter that is above the amount; return the new ones.

    Open findings of these quarters whose GPUs are explained now are closed. Amounts: `WEIGHBRIDGE_UNREQUESTED_USD` and
    `WEIGHBRIDGE_UNREQUESTED_GPU_H`, whichever is reached first.
    """
    this = Quarter.of(now)
    raised = []
    for quarter in (this.previous, this):
        # Read first: a detection beside this one may raise findings of what came after.
        open_before = list(_open_findings(quarter))
        rows = [row for row in billed(person=None, quarter=quarter) if not row.request]
        keys = {_key_of(row) for row in rows}
        for finding in open_before:
            if finding.key not in keys:
                findings.resolve(finding=finding, note=NOTE, by=by, now=now)
        large = {_key_of(row): row for row in rows if _is_large(row)}
        recorded = set(Finding.objects.filter(key__in=large).values_list("key", flat=True))
        raised += [
            findings.raise_once(sighting=_sighting(row, now), by=by, now=now)
            for key, row in large.items()
            if key not in recorded
        ]
    return raised


def _key_of(row: BilledGpus) -> str:
    """The key of the finding: one for each resource and quarter."""
    whole = digest_of([row.provider, row.account, row.resource, row.sku])
    return f"{KIND}:{row.quarter}:{whole.removeprefix('sha256:')}"


def _open_findings(quarter: Quarter) -> QuerySet[Finding]:
    rows = Finding.objects.filter(kind=KIND, state=FindingState.OPEN, key__startswith=f"{KIND}:{quarter}:")
    return rows.order_by("pk")


def _is_large(row: BilledGpus) -> bool:
    limits = settings.WEIGHBRIDGE
    return bool(row.usd >= limits["UNREQUESTED_USD"] or row.gpu_hours >= limits["UNREQUESTED_GPU_H"])


def _sighting(row: BilledGpus, now: datetime) -> Sighting:
    whose = f"allocated to the team {row.team}" if row.team else "allocated to no team"
    hours = format_amount(row.gpu_hours, unit="gpu_h")
    text = (
        f"{format_usd(row.usd)} and {hours} were billed in {row.quarter} for {row.name}, {whose}, and no request or "
        "authorization in force explains them. File a request, or allocate the lines to the model that uses them."
    )
    owner = User.objects.filter(pk=row.owner_id, is_active=True).first() if row.owner_id else None
    return Sighting(
        kind=KIND,
        subject=row.name[:SUBJECT_CHARS_MAX],
        text=text,
        severity=Severity.MEDIUM,
        source=f"bills of {row.quarter}",
        key=_key_of(row),
        owner=owner,
        due_on=(now + DUE_AFTER).date() if owner else None,
    )
