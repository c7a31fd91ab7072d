"""The scorecard: the KPIs of a model, and the actuals that people and programs supply. A batch is all or nothing."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.budgets.domain.quarters import Quarter
from governance.inventory.models import ModelAsset
from governance.people.queries.people import person_of
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.scorecard.domain.filed import FiledKpi
from reviews.scorecard.models import Kpi, KpiActual
from reviews.scorecard.rules import check_edit_scorecard, check_edit_some_scorecard
from weighbridge.core.errors import Invalid, NotFound, WrongState

SLUG = re.compile(r"[a-z0-9][-a-z0-9_]{0,59}")
VALUE_BELOW = Decimal(10) ** 16
ROWS_MAX = 2_000
TEXTS = {"name": 120, "metric": 120, "unit": 60, "data_source": 200, "how_estimated": 4_000}


@dataclass(frozen=True, kw_only=True)
class KpiSheet(FiledKpi):
    """A KPI as entered in the form, with its owner."""

    owner: User


@dataclass(frozen=True, kw_only=True)
class SuppliedActual:
    """An actual of one KPI. `row` is its line in the uploaded file, for error messages."""

    asset: ModelAsset
    kpi: str
    value: Decimal
    source: str = ""
    row: int | None = None


def set_kpi(*, asset: ModelAsset, sheet: KpiSheet, by: User, now: datetime) -> Kpi:
    """Add a KPI to a model or change it. Actuals supplied earlier keep the target that was valid then."""
    check_edit_scorecard(person_of(by), team=asset.team.slug)
    _check_sheet(sheet)
    fields = {name: value for name, value in vars(sheet).items() if name != "slug"}
    with transaction.atomic():
        written = fields | {"set_by": by, "set_at": now, "retired_at": None}
        row, is_new = Kpi.objects.update_or_create(asset=asset, slug=sheet.slug, defaults=written)
        details = {"kpi": row.slug, "target": sheet.target, "unit": sheet.unit, "owner": sheet.owner.username}
        _record("kpi_set" if is_new else "kpi_changed", asset, by, now, details)
    return row


def retire_kpi(*, kpi: Kpi, by: User, now: datetime) -> Kpi:
    """Remove a KPI from future scorecards. Its supplied actuals are kept."""
    check_edit_scorecard(person_of(by), team=kpi.asset.team.slug)
    with transaction.atomic():
        row = Kpi.objects.select_for_update(of=("self",)).select_related("asset__team").get(pk=kpi.pk)
        if row.retired_at is not None:
            raise WrongState("This KPI is already retired.", code="already")
        row.retired_at = now
        row.save(update_fields=["retired_at"])
        _record("kpi_retired", row.asset, by, now, {"kpi": row.slug})
    return row


def supply(
    *, quarter: str, actuals: Sequence[SuppliedActual], channel: str, by: User, now: datetime
) -> list[KpiActual]:
    """Store KPI actuals of a quarter before its cut-off. A later value for the same KPI replaces the earlier one."""
    person = person_of(by)
    check_edit_some_scorecard(person)
    Quarter.parse(quarter)
    if not 1 <= len(actuals) <= ROWS_MAX:
        raise Invalid(f"Supply 1 to {ROWS_MAX:,} values at a time; you supplied {len(actuals):,}.", field="actuals")
    for team in {actual.asset.team.slug for actual in actuals}:
        check_edit_scorecard(person, team=team)
    with transaction.atomic():
        _check_open(quarter)
        rows = [_store(actual, quarter, channel, by, now) for actual in actuals]
        for asset in {actual.asset for actual in actuals}:
            values = {row.kpi.slug: row.value for row in rows if row.kpi.asset_id == asset.pk}
            details = {"quarter": quarter, "channel": channel, "actuals": values}
            _record("kpi_supplied", asset, by, now, details)
    return rows


def _store(actual: SuppliedActual, quarter: str, channel: str, by: User, now: datetime) -> KpiActual:
    where = f"Row {actual.row}: " if actual.row else ""
    kpi = Kpi.objects.filter(asset=actual.asset, slug=actual.kpi, retired_at=None).select_related("asset").first()
    if kpi is None:
        slugs = ", ".join(Kpi.objects.filter(asset=actual.asset, retired_at=None).values_list("slug", flat=True))
        raise NotFound(
            f"{where}{actual.asset.name} has no KPI {actual.kpi!r}; it has {slugs or 'none yet'}.", field="kpi"
        )
    if not actual.value.is_finite() or abs(actual.value) >= VALUE_BELOW:
        raise Invalid(f"{where}The value must be a number smaller than {VALUE_BELOW:,}.", field="value")
    return KpiActual.objects.create(
        kpi=kpi,
        quarter=quarter,
        value=actual.value,
        target=kpi.target,
        channel=channel,
        source=actual.source[:200],
        supplied_by=by,
        supplied_at=now,
    )


def _check_open(quarter: str) -> None:
    cycle = ReviewCycle.objects.select_for_update().filter(quarter=quarter).first()
    if cycle is None:
        raise NotFound(
            f"There is no review cycle of {quarter} yet; it is created on the first day of the quarter.",
            field="quarter",
        )
    if cycle.state not in {CycleState.PLANNED, CycleState.COLLECTING}:
        raise WrongState(
            f"The cut-off of {quarter} has passed, so its values are frozen; supply the value for the next quarter.",
            code="cut_off_passed",
        )


def _check_sheet(sheet: KpiSheet) -> None:
    if not SLUG.fullmatch(sheet.slug):
        raise Invalid(
            "The short name may contain only lower-case letters, digits, hyphens and underscores.", field="slug"
        )
    for name, max_chars in TEXTS.items():
        if not 1 <= len(str(getattr(sheet, name)).strip()) <= max_chars:
            raise Invalid(f"Write 1 to {max_chars:,} characters.", field=name)
    if not sheet.target.is_finite() or abs(sheet.target) >= VALUE_BELOW:
        raise Invalid(f"The target must be a number smaller than {VALUE_BELOW:,}.", field="target")
    if not sheet.owner.is_active:
        raise Invalid(f"The account {sheet.owner.username} is closed.", field="owner")


def _record(event: str, asset: ModelAsset, by: User, now: datetime, details: Mapping[str, object]) -> None:
    subject = ("model", f"{asset.team.slug}/{asset.slug}")
    audit.record(kind=f"scorecard.{event}", by=by, subject=subject, details=details, now=now)
