"""The scorecard: which KPIs count for a model, and the actuals people and programs supply, all of them or none."""

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
from reviews.scorecard.rules import check_keep_score
from weighbridge.core.errors import Invalid, NotFound, WrongState

SLUG = re.compile(r"[a-z0-9][-a-z0-9_]{0,59}")
VALUE_BELOW = Decimal(10) ** 16
ROWS_MAX = 2_000
TEXTS = {"name": 120, "metric": 120, "unit": 60, "data_source": 200, "how_estimated": 4_000}


@dataclass(frozen=True, kw_only=True)
class KpiSheet(FiledKpi):
    """A KPI as somebody sets it, with the person who answers for it."""

    owner: User


@dataclass(frozen=True, kw_only=True)
class Supplied:
    """An actual of one KPI; `row` is its line in a file, for the refusal."""

    asset: ModelAsset
    kpi: str
    value: Decimal
    source: str = ""
    row: int | None = None


def set_kpi(*, asset: ModelAsset, sheet: KpiSheet, by: User, now: datetime) -> Kpi:
    """Say which KPI counts for a model, or change what it asks; actuals supplied before keep the target of
    their time.
    """
    check_keep_score(person_of(by), team=asset.team.slug)
    _check_sheet(sheet)
    fields = {name: value for name, value in vars(sheet).items() if name != "slug"}
    with transaction.atomic():
        written = fields | {"set_by": by, "set_at": now, "retired_at": None}
        row, is_new = Kpi.objects.update_or_create(asset=asset, slug=sheet.slug, defaults=written)
        details = {"kpi": row.slug, "target": sheet.target, "unit": sheet.unit, "owner": sheet.owner.username}
        _record("kpi_set" if is_new else "kpi_changed", asset, by, now, details)
    return row


def retire_kpi(*, kpi: Kpi, by: User, now: datetime) -> Kpi:
    """Take a KPI off the scorecards to come; what was supplied stays."""
    check_keep_score(person_of(by), team=kpi.asset.team.slug)
    with transaction.atomic():
        row = Kpi.objects.select_for_update(of=("self",)).select_related("asset__team").get(pk=kpi.pk)
        if row.retired_at is not None:
            raise WrongState("This KPI is retired already.", code="already")
        row.retired_at = now
        row.save(update_fields=["retired_at"])
        _record("kpi_retired", row.asset, by, now, {"kpi": row.slug})
    return row


def supply(*, quarter: str, actuals: Sequence[Supplied], channel: str, by: User, now: datetime) -> list[KpiActual]:
    """Supply what KPIs came to in a quarter, before its cut-off; a value supplied again takes the place of the one
    before.
    """
    Quarter.parse(quarter)
    if not 1 <= len(actuals) <= ROWS_MAX:
        raise Invalid(f"Supply 1 to {ROWS_MAX:,} values at a time; these are {len(actuals):,}.", field="actuals")
    person = person_of(by)
    for team in {each.asset.team.slug for each in actuals}:
        check_keep_score(person, team=team)
    with transaction.atomic():
        _check_open(quarter)
        rows = [_supplied(each, quarter, channel, by, now) for each in actuals]
        for asset in {each.asset for each in actuals}:
            said = {row.kpi.slug: row.value for row in rows if row.kpi.asset_id == asset.pk}
            details = {"quarter": quarter, "channel": channel, "actuals": said}
            _record("kpi_supplied", asset, by, now, details)
    return rows


def _supplied(each: Supplied, quarter: str, channel: str, by: User, now: datetime) -> KpiActual:
    where = f"Row {each.row}: " if each.row else ""
    kpi = Kpi.objects.filter(asset=each.asset, slug=each.kpi, retired_at=None).select_related("asset").first()
    if kpi is None:
        known = ", ".join(Kpi.objects.filter(asset=each.asset, retired_at=None).values_list("slug", flat=True))
        raise NotFound(f"{where}{each.asset.name} has no KPI {each.kpi!r}; it has {known or 'none yet'}.", field="kpi")
    if not each.value.is_finite() or abs(each.value) >= VALUE_BELOW:
        raise Invalid(f"{where}The value must be a number smaller than {VALUE_BELOW:,}.", field="value")
    return KpiActual.objects.create(
        kpi=kpi,
        quarter=quarter,
        value=each.value,
        target=kpi.target,
        channel=channel,
        source=each.source[:200],
        supplied_by=by,
        supplied_at=now,
    )


def _check_open(quarter: str) -> None:
    cycle = ReviewCycle.objects.select_for_update().filter(quarter=quarter).first()
    if cycle is None:
        raise NotFound(f"There is no review cycle of {quarter} yet; one is made with the first day.", field="quarter")
    if cycle.state not in {CycleState.PLANNED, CycleState.COLLECTING}:
        raise WrongState(
            f"The cut-off of {quarter} has passed, so its values stand still; supply it for the next quarter.",
            code="cut_off_passed",
        )


def _check_sheet(sheet: KpiSheet) -> None:
    if not SLUG.fullmatch(sheet.slug):
        raise Invalid("The short name is written in lower case letters, digits, hyphens and underscores.", field="slug")
    for name, most in TEXTS.items():
        if not 1 <= len(str(getattr(sheet, name)).strip()) <= most:
            raise Invalid(f"Write 1 to {most:,} characters.", field=name)
    if not sheet.target.is_finite() or abs(sheet.target) >= VALUE_BELOW:
        raise Invalid(f"The target must be a number smaller than {VALUE_BELOW:,}.", field="target")
    if not sheet.owner.is_active:
        raise Invalid(f"The account {sheet.owner.username} is closed.", field="owner")


def _record(word: str, asset: ModelAsset, by: User, now: datetime, details: Mapping[str, object]) -> None:
    subject = ("model", f"{asset.team.slug}/{asset.slug}")
    audit.record(kind=f"scorecard.{word}", by=by, subject=subject, details=details, now=now)
