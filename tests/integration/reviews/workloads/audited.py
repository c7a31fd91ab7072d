"""How to call the writes of workloads; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.authorizations.models import Authorization
from reviews.workloads.actions import billed_findings, reports, usage
from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.integration.reviews.workloads import usage_reports
from tests.integration.reviews.workloads.billing import spend
from tests.integration.reviews.workloads.observed import store


def removed(cast: Cast, now: datetime) -> object:
    row = store(by=cast.author, now=now)
    return reports.remove_cluster(report=row, reason="It was switched off.", by=cast.approver, now=now)


def found(cast: Cast, now: datetime) -> object:
    spend(now=now)
    return billed_findings.detect_unrequested_gpus(now=now)


def compared(cast: Cast, now: datetime) -> object:
    request = walks.make_decided(cast=cast, now=now)
    Authorization.objects.update(tokens_per_month=1000)
    digest = request.model_version.digest
    usage_reports.store(usage_reports.line(now.date(), model=None, digest=digest), by=cast.author, now=now)
    return usage.compare_usage(now=now)


MODULE = "reviews.workloads.actions"
ACTIONS: Mapping[str, Callable[[Cast, datetime], object]] = {
    f"{MODULE}.reports.store_report": lambda cast, now: store(by=cast.author, now=now),
    f"{MODULE}.reports.remove_cluster": removed,
    f"{MODULE}.usage.store_usage": lambda cast, now: usage_reports.store(by=cast.author, now=now),
    f"{MODULE}.usage.compare_usage": compared,
    f"{MODULE}.billed_findings.detect_unrequested_gpus": found,
}
