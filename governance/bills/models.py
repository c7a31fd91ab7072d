"""Tables and their database constraints."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection, models
from django.db.models import Q

from governance.bills.domain.quantities.token_kinds import CACHE_ACTIONS, DIRECTIONS
from governance.bills.enums import BillKind, BillOrigin
from governance.budgets.domain.quarters import next_month
from governance.inventory.models import ModelAsset
from governance.jobs.enums import ENDED_BADLY, JobState
from governance.jobs.models import Leased, due_index
from governance.people.models import Team
from governance.rulebook.models import Document

if TYPE_CHECKING:
    import polars as pl


class AllocationVersion(Document):
    """One version of the allocation rules."""


class AllocationRule(models.Model):
    """A rule of a published version, referenced by bill lines. A trigger prevents changes."""

    version = models.ForeignKey(AllocationVersion, on_delete=models.PROTECT, related_name="rules")
    rule_id = models.SlugField(max_length=80)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="allocation_rules")
    asset = models.ForeignKey(ModelAsset, on_delete=models.PROTECT, null=True, related_name="allocation_rules")
    request_ref = models.CharField(max_length=20, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "rule_id"], name="one_rule_of_a_name")]

    def __str__(self) -> str:
        return f"{self.version}: {self.rule_id}"


BLOCK_LINES = 20_000


class Bill(Leased):
    """One file of costs or usage, identified by its digest. The row is also the job that reads it."""

    kind = models.CharField(max_length=12, choices=BillKind.choices)
    origin = models.CharField(max_length=10, choices=BillOrigin.choices)
    name = models.CharField(max_length=160)
    digest = models.CharField(max_length=71, blank=True, default="")
    size_bytes = models.BigIntegerField(default=0)
    stored_as = models.CharField(max_length=200, blank=True, default="")
    seen_as = models.CharField(max_length=400, blank=True, default="")
    cluster = models.CharField(max_length=80, blank=True, default="")
    refuses_existing = models.BooleanField(default=False)
    progress = models.FloatField(default=0)
    phase = models.CharField(max_length=120, blank=True, default="")
    report = models.JSONField(null=True)
    received_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(name="bill_state_known", condition=Q(state__in=JobState.values)),
            models.CheckConstraint(name="bill_progress_is_a_share", condition=Q(progress__gte=0, progress__lte=1)),
            models.CheckConstraint(
                name="bill_done_has_a_report", condition=~Q(state=JobState.DONE) | Q(report__isnull=False)
            ),
            models.CheckConstraint(
                name="bill_is_kept_or_was_refused", condition=~Q(digest="", stored_as="") | Q(state=JobState.FAILED)
            ),
            models.UniqueConstraint(
                name="one_bill_per_content", fields=["digest"], condition=~Q(state__in=ENDED_BADLY) & ~Q(digest="")
            ),
        ]
        indexes = [due_index("due_bills"), models.Index(fields=["seen_as"])]

    def __str__(self) -> str:
        return f"Bill {self.pk}"


class BillSlice(models.Model):
    """The data of one bill for one provider, billing account and period. At most one slice is current."""

    bill = models.ForeignKey(Bill, on_delete=models.PROTECT, related_name="slices")
    provider = models.CharField(max_length=200)
    billing_account = models.CharField(max_length=400)
    period = models.DateField()
    period_end = models.DateField()
    rows = models.BigIntegerField()
    lines_count = models.BigIntegerField()
    gpu_hours = models.DecimalField(max_digits=38, decimal_places=12)
    totals = models.JSONField(default=list)
    is_current = models.BooleanField(default=True)
    replaced_by = models.ForeignKey(Bill, on_delete=models.PROTECT, null=True, related_name="replaced")
    read_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_current_slice", fields=["provider", "billing_account", "period"], condition=Q(is_current=True)
            ),
            models.CheckConstraint(
                name="slice_is_current_or_replaced",
                condition=Q(is_current=True, replaced_by__isnull=True) | Q(is_current=False, replaced_by__isnull=False),
            ),
            models.CheckConstraint(name="slice_period_runs_forward", condition=Q(period_end__gt=models.F("period"))),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.billing_account} {self.period:%Y-%m}"


class SpendLine(models.Model):
    """Aggregated charges of one day. The table is partitioned by the month of `period`.

    Lines with tokens of a language model name the model as billed, its snapshot, the direction of the tokens and what
    the cache did, as far as the bill names them; `subject` is the digest of what the provider offers. `remainder` is
    the effective cost less unit price x quantity.
    """

    slice = models.ForeignKey(BillSlice, on_delete=models.PROTECT, related_name="lines")
    rule = models.ForeignKey(AllocationRule, on_delete=models.PROTECT, null=True, related_name="lines")
    period = models.DateField()
    day = models.DateField()
    subaccount = models.TextField(blank=True)
    resource = models.TextField(blank=True)
    sku = models.TextField(blank=True)
    provider = models.CharField(max_length=200)
    service = models.TextField(blank=True)
    service_category = models.TextField(blank=True)
    region = models.TextField(blank=True)
    category = models.CharField(max_length=10)
    meter = models.TextField(blank=True)
    model = models.TextField(blank=True)
    snapshot = models.TextField(blank=True)
    direction = models.CharField(max_length=6, blank=True)
    cache_action = models.CharField(max_length=8, blank=True)
    subject = models.CharField(max_length=71, blank=True)
    is_correction = models.BooleanField()
    currency = models.CharField(max_length=3)
    tags = models.JSONField(default=dict)
    rows = models.BigIntegerField()
    billed = models.DecimalField(max_digits=38, decimal_places=12)
    effective = models.DecimalField(max_digits=38, decimal_places=12)
    listed = models.DecimalField(max_digits=38, decimal_places=12)
    gpu_hours = models.DecimalField(max_digits=38, decimal_places=12)
    server_hours = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    tokens = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    model_requests = models.DecimalField(max_digits=38, decimal_places=12, default=0)
    remainder = models.DecimalField(max_digits=38, decimal_places=12, default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name="currency_is_three_letters", condition=Q(currency__regex="^[A-Z]{3}$")),
            models.CheckConstraint(
                name="token_kind_known",
                condition=Q(direction__in=["", *DIRECTIONS]) & Q(cache_action__in=["", *CACHE_ACTIONS]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.service} {self.effective} {self.currency}"

    @classmethod
    def open_partitions(cls, periods: Iterable[date]) -> None:
        """Create missing partitions for the months of these days, in the caller's transaction."""
        table = cls._meta.db_table
        with connection.cursor() as cursor:
            for start in sorted({day.replace(day=1) for day in periods}):
                name = f"{table}_p{start:%Y_%m}"
                cursor.execute("SELECT to_regclass(%s)", [name])
                if cursor.fetchone()[0] is not None:
                    continue
                bounds = f"FROM ('{start}') TO ('{next_month(start)}')"
                cursor.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES {bounds}")

    @classmethod
    def copy_in(cls, lines: "pl.DataFrame") -> None:
        """Insert lines, with the columns of the table but without a rule, by COPY in the caller's transaction."""
        columns = [field.attname for field in cls._meta.concrete_fields if field.name not in {"id", "rule"}]
        statement = f"COPY {cls._meta.db_table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
        with connection.cursor() as cursor, cursor.cursor.copy(statement) as copy:
            for block in lines.select(columns).iter_slices(BLOCK_LINES):
                copy.write(block.write_csv(include_header=False, quote_style="non_numeric"))


class MonthSum(models.Model):
    """The lines of a slice that were used in one month, under one rule or none, in one currency: their number and sums.

    Triggers of the lines keep the sums in the transaction that writes lines, whoever writes them; sums without a line
    are deleted. `month` is the first day of the month of `day`, which is not always that of the billing period.
    """

    slice = models.ForeignKey(BillSlice, on_delete=models.PROTECT, related_name="sums", db_index=False)
    rule = models.ForeignKey(AllocationRule, on_delete=models.PROTECT, null=True, related_name="sums", db_index=False)
    month = models.DateField()
    currency = models.CharField(max_length=3)
    lines = models.BigIntegerField()
    billed = models.DecimalField(max_digits=50, decimal_places=12)
    effective = models.DecimalField(max_digits=50, decimal_places=12)
    gpu_hours = models.DecimalField(max_digits=50, decimal_places=12)
    server_hours = models.DecimalField(max_digits=50, decimal_places=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="one_sum_of_a_month", fields=["slice", "month", "rule", "currency"], nulls_distinct=False
            ),
        ]
        indexes = [
            models.Index(fields=["month"], name="sums_by_month"),
            models.Index(fields=["rule", "month"], name="sums_by_rule"),
        ]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m} {self.effective} {self.currency}"


class ExchangeRate(models.Model):
    """The value of one unit of a currency on one day, set by finance. Rows are never changed; the latest row of a day
    counts.
    """

    currency = models.CharField(max_length=3)
    on = models.DateField()
    usd = models.DecimalField(max_digits=20, decimal_places=10)
    source = models.CharField(max_length=200)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="rate_is_positive", condition=Q(usd__gt=0)),
            models.CheckConstraint(
                name="rate_of_a_foreign_currency", condition=Q(currency__regex="^[A-Z]{3}$") & ~Q(currency="USD")
            ),
        ]

    def __str__(self) -> str:
        return f"1 {self.currency} = {self.usd} USD on {self.on}"
