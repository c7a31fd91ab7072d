"""From a file to lines on record: once, whole, and replaced slice by slice."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from governance.audit.models import AuditEvent
from governance.bills import tasks as bills_tasks
from governance.bills.actions import bills
from governance.bills.domain.file_kind import UnpackLimits
from governance.bills.domain.pipeline import BillFile, read_bill
from governance.bills.enums import BillKind
from governance.bills.models import Bill, BillSlice, SpendLine
from governance.findings.models import Finding
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from tests.factories.bills import csv_bytes, gzip_bytes, parquet_bytes, row
from tests.factories.snapshots import snapshot
from tests.unit.governance.bills.test_scheduler import JOB, POD
from weighbridge.core.errors import Invalid, NotAllowed, TooLarge, WrongState

pytestmark = pytest.mark.django_db
ROWS = [row(), row(BilledCost="0.0000001", EffectiveCost="0.0000001"), row(ResourceId="b", BillingCurrency="EUR")]


def totals():
    found = SpendLine.objects.filter(slice__is_current=True).aggregate(billed=Sum("billed"), effective=Sum("effective"))
    return found["billed"], found["effective"]


@pytest.mark.parametrize(
    ("name", "content"), [("b.csv", csv_bytes), ("b.csv.gz", gzip_bytes), ("b.parquet", parquet_bytes)]
)
def test_a_file_becomes_lines_and_a_report(read, name, content):
    bill = read(content(ROWS), name)
    assert (bill.state, bill.error, bill.progress, bill.attempts) == (JobState.DONE, "", 1.0, 1)
    assert (bill.report["rows_read"], bill.report["rows_kept"], bill.report["refused"]) == (3, 3, [])
    (one,) = bill.slices.all()
    assert (str(one), one.rows, one.lines_count, one.gpu_hours, one.is_current) == (
        "AWS 100 2026-09",
        3,
        2,
        Decimal(6),
        True,
    )
    assert one.totals == [
        {"currency": "EUR", "billed": "10.000000000000", "effective": "8.000000000000"},
        {"currency": "USD", "billed": "10.000000100000", "effective": "8.000000100000"},
    ]
    line = SpendLine.objects.get(currency="USD")
    assert (line.billed, line.effective, line.day) == (Decimal("10.0000001"), Decimal("8.0000001"), date(2026, 9, 3))
    assert (line.tags, line.subaccount, line.provider, line.is_correction) == (
        {"model": "visual-search"},
        "200",
        "AWS",
        False,
    )
    event = AuditEvent.objects.get(kind="bill.taken_in")
    assert (event.source, event.details) == (
        "job",
        {"digest": bill.digest, "rows": 3, "slices": ["AWS 100, 2026-09"]},
    )


def test_texts_of_every_kind_survive_the_copy(read):
    odd = 'a "quoted", text\nof two lines \\N \\. , ; \t end'
    read(csv_bytes([row(ResourceId=odd, Tags='{"k\\"": "a,b\\nc"}', SubAccountId="")]))
    line = SpendLine.objects.get()
    assert (line.resource, line.tags, line.subaccount) == (odd, {'k"': "a,b\nc"}, "")


def test_the_same_content_is_the_same_bill(read, send):
    first = read(csv_bytes(ROWS))
    before = snapshot()
    assert send(csv_bytes(ROWS), "another name.csv") == first
    assert snapshot() == before


def test_a_restatement_replaces_its_slice_and_no_other(read):
    old = read(
        csv_bytes(
            [row(), row(BillingAccountId="101"), row(BillingPeriodStart="2026-08-01", BillingPeriodEnd="2026-09-01")]
        )
    )
    new = read(csv_bytes([row(BilledCost="3", EffectiveCost="3")]))
    assert totals() == (Decimal(23), Decimal(19))
    gone = BillSlice.objects.get(is_current=False)
    assert (gone.bill, gone.replaced_by, gone.lines.count()) == (old, new, 0)
    assert SpendLine.objects.count() == 3


def test_a_file_that_may_not_replace_is_refused_and_nothing_moves(read):
    read(csv_bytes(ROWS))
    lines = list(SpendLine.objects.order_by("pk").values())
    bill = read(csv_bytes([row(BilledCost="3"), row(BillingAccountId="102")]), refuses_existing=True)
    assert bill.state == JobState.FAILED
    assert "AWS 100 2026-09 already has data from Bill" in bill.error
    assert list(SpendLine.objects.order_by("pk").values()) == lines
    assert BillSlice.objects.count() == 1


def test_an_older_file_never_undoes_a_newer_one(send, read):
    late = send(csv_bytes([row(BilledCost="1")]))
    read(csv_bytes([row(BilledCost="2")]))
    bills_tasks.ingest_bill(late.pk)
    late.refresh_from_db()
    assert late.state == JobState.FAILED
    assert "which was received later than this file. The later bill counts" in late.error
    assert totals()[0] == Decimal(2)


def test_lines_lie_in_a_partition_of_their_month(read):
    read(csv_bytes([row(), row(BillingPeriodStart="2026-12-15", BillingPeriodEnd="2027-01-15")]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM bills_spendline ORDER BY period")
        assert [name for (name,) in cursor.fetchall()] == [
            "bills_spendline_p2026_09",
            "bills_spendline_p2026_12",
        ]


def test_a_bill_with_refused_rows_says_so_and_keeps_the_others(read):
    bill = read(csv_bytes([row(), row(BillingCurrency="dollars")]))
    (refused,) = bill.report["refused"]
    assert (bill.state, refused["check"], refused["rows"], bill.report["rows_kept"]) == (
        JobState.DONE,
        "currency_unknown",
        1,
        1,
    )
    assert refused["examples"] == ["row 3: BillingCurrency is 'dollars'"]


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (csv_bytes()[:-40].rstrip(b"\n"), "b.csv", "ends in the middle of a row"),
        (gzip_bytes()[:-3], "b.csv.gz", "is incomplete"),
        (
            csv_bytes([row(), row(BillingPeriodEnd="2026-09-20")]),
            "b.csv",
            "has two billing periods that start on 2026-09-01",
        ),
        (csv_bytes([row(ProviderName="")]), "b.csv", "None of the 1 rows can be accepted"),
    ],
)
def test_a_file_that_cannot_be_counted_fails_in_words_and_leaves_nothing(read, content, name, reason):
    bill = read(content, name)
    assert bill.state == JobState.FAILED
    assert reason in bill.error
    assert (SpendLine.objects.count(), BillSlice.objects.count(), bill.report) == (0, 0, None)
    assert AuditEvent.objects.get(kind="bill.failed").details["reason"] == bill.error


@pytest.mark.parametrize(
    ("content", "name", "kind", "reason"),
    [
        (parquet_bytes(), "b.csv", "focus", "says csv, but the content is parquet"),
        (csv_bytes(), "b.csv.gz", "focus", "says csv.gz, but the content is csv"),
        (csv_bytes(drop=["BilledCost"]), "b.csv", "focus", "missing: BilledCost"),
        (csv_bytes(), "b.csv", "slurm", "not accounting of slurm"),
        (b"", "b.csv", "focus", "empty"),
    ],
)
def test_what_is_no_bill_is_refused_at_the_door(send, content, name, kind, reason):
    before = snapshot()
    with pytest.raises(Invalid, match=reason) as caught:
        send(content, name, kind=BillKind(kind), cluster="hpc")
    assert caught.value.field == "file"
    assert snapshot() == before


def test_accounting_needs_the_name_of_its_cluster(send):
    with pytest.raises(Invalid, match="Give the name of the cluster") as caught:
        send(csv_bytes([POD]), kind=BillKind.KUBERNETES)
    assert caught.value.field == "cluster"


def test_a_file_larger_than_accepted_is_refused(send, settings):
    settings.UPLOAD_LIMIT_BYTES = 100
    with pytest.raises(TooLarge, match="larger than"):
        send(csv_bytes())
    assert Bill.objects.count() == 0


def test_gpu_hours_of_a_scheduler_are_lines_without_cost(read):
    bill = read(csv_bytes([JOB], delimiter="|"), "jobs.txt", kind=BillKind.SLURM, cluster="hpc")
    line = SpendLine.objects.get()
    assert (bill.state, line.gpu_hours, line.effective, line.subaccount) == (
        JobState.DONE,
        Decimal(6),
        Decimal(0),
        "search",
    )
    assert str(line.slice) == "slurm hpc 2026-09"


@pytest.mark.parametrize("person", ["author", "reviewer_one", "auditor", "outsider"])
def test_others_may_send_nothing(cast, now, person):
    from django.core.files.base import ContentFile

    before = snapshot()
    with pytest.raises(NotAllowed, match="may handle bills"):
        bills.receive(
            upload=ContentFile(csv_bytes(), name="b.csv"), delivery=bills.Delivery(), by=getattr(cast, person), now=now
        )
    assert snapshot() == before


def test_a_worker_that_lost_its_lease_writes_nothing(send, now, tmp_path):
    bill = send(csv_bytes(ROWS))
    slow = Bill.claim(pk=bill.pk, now=now, lease=timedelta(seconds=1))
    path = tmp_path / "b.csv"
    path.write_bytes(csv_bytes(ROWS))
    gathered, report = read_bill(
        path,
        BillFile("b.csv"),
        folder=tmp_path,
        caps=UnpackLimits(),
        on_share=lambda *_: None,
    )
    quick = Bill.claim(pk=bill.pk, now=now + timedelta(minutes=1), lease=timedelta(minutes=1))
    assert bills.ingest(bill=slow, gathered=gathered, report=report, now=now) is False
    assert (SpendLine.objects.count(), BillSlice.objects.count()) == (0, 0)
    assert bills.ingest(bill=quick, gathered=gathered, report=report, now=now) is True
    assert SpendLine.objects.count() == 2
    assert jobs.fail(row=slow, reason="late", now=now) is False


def test_a_fault_in_the_middle_leaves_nothing_and_is_tried_again(send, monkeypatch):
    bill = send(csv_bytes(ROWS))

    def break_down(**_):
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("governance.bills.actions.bills.allocation.assign", break_down)
        bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    assert (bill.state, bill.attempts, bill.report) == (JobState.QUEUED, 1, None)
    assert "the disk is full" in bill.error
    assert (SpendLine.objects.count(), BillSlice.objects.count()) == (0, 0)
    Bill.objects.update(next_attempt_at=bill.created_at)
    bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    assert (bill.state, bill.error, SpendLine.objects.count()) == (JobState.DONE, "", 2)


def test_a_canceled_bill_ends_its_reading(send, cast, now, monkeypatch):
    bill = send(csv_bytes(ROWS))
    seen = []

    def canceled_meanwhile(self):
        if not seen:
            jobs.cancel(row=self.bill, by=cast.finance, now=now)
        seen.append(self)
        self.is_held = self.bill.renew(now=now, lease=timedelta(minutes=1))

    monkeypatch.setattr("governance.bills.tasks._ProgressWriter.write", canceled_meanwhile)
    bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    assert (bill.state, bill.report, SpendLine.objects.count()) == (JobState.CANCELED, None, 0)
    with pytest.raises(WrongState, match="cannot be canceled"):
        jobs.cancel(row=bill, by=cast.finance, now=now)
    bills_tasks.ingest_bill(bill.pk)
    assert SpendLine.objects.count() == 0


def test_a_failed_bill_is_read_again_when_somebody_asks(read, cast, now, monkeypatch):
    from governance.bills.domain import report

    with monkeypatch.context() as patch:
        patch.setattr(report, "report_of", lambda *_: (_ for _ in ()).throw(Invalid("not today", field="file")))
        bill = read(csv_bytes(ROWS))
    assert (bill.state, bill.error) == (JobState.FAILED, "not today")
    jobs.retry(row=bill, by=cast.finance, now=now)
    bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    assert bill.state == JobState.DONE
    with pytest.raises(WrongState, match="only a stored file that failed"):
        jobs.retry(row=bill, by=cast.finance, now=now)


def test_a_failed_bill_that_came_again_is_not_read_twice(read, send, cast, now, monkeypatch):
    failed = read(csv_bytes([row(ProviderName="")]))
    again = send(csv_bytes([row(ProviderName="")]))
    assert again != failed
    with pytest.raises(WrongState, match=f"sent again as {again}"):
        jobs.retry(row=failed, by=cast.finance, now=now)


def test_a_bill_whose_workers_go_silent_is_declared_dead(send, now):
    bill = send(csv_bytes(ROWS))
    for attempt in range(3):
        assert Bill.claim(pk=bill.pk, now=now + timedelta(minutes=attempt), lease=timedelta(seconds=1))
    assert jobs.mark_dead(model=Bill, now=now + timedelta(hours=1)) == [bill]
    bill.refresh_from_db()
    assert (bill.state, bill.error) == (
        JobState.DEAD,
        "The worker stopped responding 3 times. The file may need more memory than the machine has.",
    )


def test_the_database_keeps_one_bill_and_one_current_slice(read, now):
    bill = read(csv_bytes(ROWS))
    one = bill.slices.get()
    for make in (
        lambda: Bill.objects.create(
            kind="focus", origin="api", name="x", digest=bill.digest, stored_as="x", created_at=now, next_attempt_at=now
        ),
        lambda: BillSlice.objects.create(
            bill=bill,
            provider=one.provider,
            billing_account=one.billing_account,
            period=one.period,
            period_end=one.period_end,
            rows=1,
            lines_count=1,
            gpu_hours=0,
            read_at=now,
        ),
        lambda: BillSlice.objects.filter(pk=one.pk).update(is_current=False),
        lambda: SpendLine.objects.update(currency="usd"),
        lambda: Bill.objects.filter(pk=bill.pk).update(report=None),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            make()


def test_two_that_send_the_same_at_once_have_one_bill(send, monkeypatch):
    first = send(csv_bytes(ROWS))
    answers = iter([None, first])
    monkeypatch.setattr(bills, "_existing_bill", lambda _: next(answers))
    assert send(csv_bytes(ROWS)) == first
    answers = iter([None, None])
    with pytest.raises(IntegrityError):
        send(csv_bytes(ROWS))
    assert Bill.objects.count() == 1


def test_a_file_that_was_swapped_after_it_was_received_is_not_read(send, cast):
    bill = send(csv_bytes())
    path = Path(storages["artifacts"].path(bill.stored_as))
    path.write_bytes(path.read_bytes().replace(b"0", b"1"))
    bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    assert (bill.state, bill.slices.count()) == ("failed", 0)
    assert f"The stored file {bill.digest} was changed after it was stored" in bill.error
    assert Finding.objects.get(kind="artifact.damaged").owner == cast.admin
