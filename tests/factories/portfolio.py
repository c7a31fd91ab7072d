"""Many models with an authorized request each, copied from one that went the whole way: for counting
queries and time.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Model

from benchmarking.projections.models import CostProjection
from benchmarking.runs.models import Run
from governance.bills.models import AllocationRule, Bill, BillSlice, SpendLine
from governance.inventory.models import ModelAsset
from reviews.authorizations.models import Authorization, Condition, Decision
from reviews.evidence.models import MetricRecord, RequestProjection, Traffic
from reviews.requests.models import ReviewRequest
from weighbridge.core.canonical import digest_of

M = TypeVar("M", bound=Model)
DOCUMENT: Mapping[str, Any] = {
    "load": {"requests_per_year": 12_000.0},
    "options": [{"id": "own", "parts": {"serving": {"quantities": {"replica_hours": 12.0}}}}],
}


def multiply(
    decided: ReviewRequest, *, numbers: Sequence[int], months: Sequence[date], rule: AllocationRule, now: datetime
) -> list[ReviewRequest]:
    """A model for each number, as authorized as `decided`, with a bill and supplied requests in each of the months."""
    return [_copied(decided, number, months, rule, now) for number in numbers]


def _copied(
    decided: ReviewRequest, number: int, months: Sequence[date], rule: AllocationRule, now: datetime
) -> ReviewRequest:
    version = decided.model_version
    asset = _copy(version.asset, slug=f"model-{number}", name=f"Model {number}")
    mine = _copy(version, asset=asset, digest=digest_of({"model": number}))
    decision = Decision.objects.get(request=decided)
    held = Authorization.objects.get(decision=decision)
    request = _copy(decided, ref=f"MRR-2026-{number:04d}", model_version=mine)
    authorized = _copy(held, decision=_copy(decision, request=request), number=f"AUT-2026-{number:04d}")
    owner = decided.owner
    Condition.objects.create(authorization=authorized, text="Watch it.", owner=owner, due_on=now.date(), set_by=owner)
    run = _copy(Run.objects.filter(asked_for=decided.ref).first(), key=f"run-{number}", asked_for=request.ref)
    for metric in MetricRecord.objects.filter(request=decided):
        _copy(metric, request=request, run=run if metric.run_id else None)
    projection = CostProjection.objects.create(
        token=f"{number:020d}", title="T", spec={}, document=DOCUMENT, digest=digest_of({"of": number}), kept_at=now
    )
    RequestProjection.objects.create(
        request=request, number=1, projection=projection, option="own", stated_by=decided.owner, stated_at=now
    )
    _bill(request, asset, months, rule, now)
    return request


def _bill(
    request: ReviewRequest, asset: ModelAsset, months: Sequence[date], rule: AllocationRule, now: datetime
) -> None:
    mine = _copy(rule, rule_id=f"r{request.pk}", asset=asset, request_ref=request.ref)
    SpendLine.open_partitions(months)
    bill = Bill.objects.create(
        kind="focus",
        origin="upload",
        name="b",
        stored_as="b",
        digest=digest_of(request.ref),
        state="done",
        report={},
        created_at=now,
        next_attempt_at=now,
    )
    for month in months:
        end = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        part = BillSlice.objects.create(
            bill=bill,
            provider="AWS",
            billing_account=request.ref,
            period=month,
            period_end=end,
            rows=1,
            lines_count=1,
            gpu_hours=2,
            read_at=now,
        )
        SpendLine.objects.create(
            slice=part,
            rule=mine,
            period=month,
            day=month,
            provider="AWS",
            category="Usage",
            is_correction=False,
            currency="USD",
            rows=1,
            billed=160,
            effective=Decimal(160),
            listed=160,
            gpu_hours=2,
            server_hours=2,
        )
        Traffic.objects.create(
            request=request, month=month, requests=1500, channel="form", supplied_by=request.owner, supplied_at=now
        )


def _copy(row: M | None, **changes: object) -> M:
    assert row is not None
    fields = {each.attname: getattr(row, each.attname) for each in row._meta.concrete_fields if not each.primary_key}
    kept = {name: value for name, value in fields.items() if name.removesuffix("_id") not in changes}
    return type(row)._default_manager.create(**kept | changes)
