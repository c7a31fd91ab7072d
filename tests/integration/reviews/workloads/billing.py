"""Bill lines with GPUs, straight into the tables: how bills are read is tested elsewhere."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from governance.bills.models import AllocationRule, AllocationVersion, Bill, BillSlice, SpendLine
from governance.budgets.domain.quarters import next_month
from governance.inventory.models import ModelAsset
from governance.people.models import Team
from tests.factories.models import make_version

DEFAULTS: dict[str, Any] = {
    "subaccount": "200",
    "resource": "endpoint/mystery",
    "sku": "p5.48xlarge",
    "provider": "AWS",
    "service": "EC2",
    "service_category": "Compute",
    "category": "Usage",
    "is_correction": False,
    "currency": "USD",
    "rows": 1,
}


def spend(
    *,
    now: datetime,
    day: date | None = None,
    usd: str = "2500",
    hours: str = "40",
    account: str = "100",
    **changes: Any,
) -> SpendLine:
    """A line of today with GPU hours, allocated by `rule`."""
    day = day or now.date()
    period = day.replace(day=1)
    found = BillSlice.objects.filter(billing_account=account, period=period).first()
    if found is None:
        bill = Bill.objects.create(
            kind="focus",
            origin="upload",
            name="b",
            digest=f"sha256:{Bill.objects.count():064x}",
            state="done",
            report={},
            created_at=now,
            next_attempt_at=now,
        )
        found = BillSlice.objects.create(
            bill=bill,
            provider="AWS",
            billing_account=account,
            period=period,
            period_end=next_month(period),
            rows=1,
            lines_count=1,
            gpu_hours=Decimal(hours),
            read_at=now,
        )
    SpendLine.open_partitions([period])
    amounts = {name: Decimal(usd) for name in ("billed", "effective", "listed")}
    fields = DEFAULTS | amounts | {"gpu_hours": Decimal(hours)} | changes
    return SpendLine.objects.create(slice=found, period=period, day=day, **fields)


def rule(*, now: datetime, team: str = "search", asset: ModelAsset | None = None, ref: str = "") -> AllocationRule:
    """A rule of a published version."""
    version, _ = AllocationVersion.objects.get_or_create(
        name="default",
        number=1,
        defaults={"source": "x", "state": "published", "written_at": now, "published_at": now, "digest": "x"},
    )
    name = f"r{AllocationRule.objects.count()}"
    home = Team.objects.get(slug=team)
    return AllocationRule.objects.create(version=version, rule_id=name, team=home, asset=asset, request_ref=ref)


__all__ = ["make_version", "rule", "spend"]
