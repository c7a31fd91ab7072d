"""What comes from other programs, every word of it a payload: results, reports of clusters, bills."""

from datetime import datetime, timedelta
from decimal import Decimal

import yaml

from governance.bills.actions import allocation, rates
from governance.bills.domain.currencies import CurrencyRate
from governance.bills.models import Bill, BillSlice, SpendLine
from governance.jobs.enums import JobState
from reviews.evidence.domain.studies import FiledStudy, StudyChart, StudyTable, study_document
from reviews.evidence.models import AttestedStatement, ImportedFile
from reviews.requests.models import ReviewRequest
from reviews.workloads.models import ClusterReport, UsageGateway
from tests.factories import kinds
from tests.factories.changes import publish
from tests.factories.people import Cast
from tests.promises.payloads import Seeds
from weighbridge.charts.bars import Bar, bars
from weighbridge.charts.drawing import svg
from weighbridge.readers.imported_result import StudyDetail
from weighbridge.readers.study_kinds import StudyKind


def plant_from_elsewhere(seed: Seeds, request: ReviewRequest, *, cast: Cast, now: datetime) -> None:
    """What other tools and clusters measured, and a subject that is no single file."""
    AttestedStatement.objects.create(
        request=request,
        digest="sha256:" + "d" * 64,
        envelope={"payload": seed.long()},
        key_name=seed.short(),
        key_digest="sha256:" + "e" * 64,
        signer="ci",
        tool=seed.short(),
        verdict="valid",
        started_at=now,
        finished_at=now,
        is_audited=False,
        received_by=cast.author,
        received_at=now,
    )
    ImportedFile.objects.create(
        request=request,
        file_name=seed.short(),
        file_digest="sha256:" + "f" * 64,
        part=seed.short(),
        tool=seed.short(),
        verdict="valid",
        reasons=[seed.long()],
        taken=[seed.short()],
        left_out={seed.short(): seed.long()},
        kind=StudyKind.EXPERIMENT,
        study=study_document(_study(seed)),
        imported_by=cast.author,
        imported_at=now,
    )
    file = {"path": '"><svg onload=alert(1)>', "sha256": "1" * 64}
    subject = {"kind": "manifest", "name": seed.short(), "files": [file]}
    kinds.register(task="other", slug="repository", subject=subject, by=cast.author, now=now)


def _study(seed: Seeds) -> FiledStudy:
    """A study with a payload in each text, and in the chart that is drawn of it."""
    drawn = bars([Bar(seed.short(), 1.0, words=seed.short())], title=seed.short(), unit=seed.short(), alt=seed.long())
    table = StudyTable(seed.short(), (seed.short(), seed.short()), ((seed.short(), seed.short()),), (1,))
    return FiledStudy(
        kind=StudyKind.EXPERIMENT,
        title=seed.short(),
        conclusions=(seed.long(),),
        details=(StudyDetail(seed.short(), seed.long()),),
        chart=StudyChart(title=seed.short(), alt=seed.long(), svg=svg(drawn), table=table),
    )


def plant_workloads(seed: Seeds, *, cast: Cast, now: datetime) -> None:
    """What a program reports that a cluster runs."""
    row = ClusterReport.objects.create(
        cluster=seed.short(), environment="prod", observed_at=now, received_at=now, reporter=cast.author, digest="x"
    )
    texts = {name: seed.short() for name in ("namespace", "name", "image", "owner")}
    row.workloads.create(**texts, first_seen_at=now, replicas=1, gpus={seed.short(): 1})


def plant_usage(seed: Seeds, *, cast: Cast, now: datetime) -> None:
    """What a gateway reports that a model was used for."""
    row = UsageGateway.objects.create(
        name=seed.short(), environment="prod", received_at=now, reporter=cast.author, digest="x"
    )
    row.records.create(
        day=now.date(), model=seed.short(), requests=1, input_tokens=1, cached_tokens=0, output_tokens=1, usd=1
    )


def plant_bills(seed: Seeds, *, cast: Cast, now: datetime) -> None:
    """What stands in bills, in the names of their files, in allocation rules, and where rates are said to be from."""
    source = yaml.safe_dump(
        {
            "apiVersion": "weighbridge/v1",
            "kind": "AllocationRules",
            "name": seed.short(),
            "rules": [{"id": seed.short(), "match": {"skus": [seed.short()]}, "account": "search"}],
        },
        width=10_000,
    )
    draft = allocation.draft(source=source, by=cast.finance, now=now)
    rule = publish(version=draft, cast=cast, now=now).rules.get()
    month = now.date().replace(day=1)
    report = {
        "format": seed.short(),
        "rows_read": 2,
        "rows_kept": 1,
        "lines": 1,
        "notes": [seed.long()],
        "slices": [],
        "refused": [{"check": "x", "reason": seed.long(), "rows": 1, "examples": [seed.long()]}],
    }
    bill = Bill.objects.create(
        kind="focus",
        origin="folder",
        name=seed.short(),
        digest=f"sha256:{'b' * 64}",
        stored_as="b",
        seen_as=seed.short(),
        cluster=seed.short(),
        phase=seed.short(),
        report=report,
        state=JobState.DONE,
        error=seed.long(),
        created_at=now,
        next_attempt_at=now,
        finished_at=now,
    )
    part = BillSlice.objects.create(
        bill=bill,
        provider=seed.short(),
        billing_account=seed.short(),
        period=month,
        period_end=month + timedelta(days=31),
        rows=1,
        lines_count=1,
        gpu_hours=0,
        totals=[{"currency": "USD", "billed": "1", "effective": "1"}],
        read_at=now,
    )
    SpendLine.open_partitions([month])
    for owner in (rule, None):
        SpendLine.objects.create(
            slice=part,
            rule=owner,
            period=month,
            day=month,
            subaccount=seed.long(),
            resource=seed.long(),
            sku=seed.long(),
            provider=seed.short(),
            service=seed.long(),
            service_category=seed.long(),
            region=seed.long(),
            category="Usage",
            meter=seed.long(),
            model=seed.long() if owner else "",
            snapshot=seed.long(),
            tokens=5,
            is_correction=False,
            currency="USD",
            tags={seed.short(): seed.long()},
            rows=1,
            billed=1,
            effective=1,
            listed=1,
            gpu_hours=0,
        )
    rate = CurrencyRate("EUR", now.date(), Decimal("1.1"), seed.long()[:200])
    rates.set_rate(rate=rate, by=cast.finance, now=now)
