"""How to call the writes of workloads; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.workloads.actions import billed_findings, reports
from tests.factories.people import Cast
from tests.integration.reviews.workloads.billing import spend
from tests.integration.reviews.workloads.observed import store


def removed(cast: Cast, now: datetime) -> object:
    row = store(by=cast.author, now=now)
    return reports.remove_cluster(report=row, reason="It was switched off.", by=cast.approver, now=now)


def found(cast: Cast, now: datetime) -> object:
    spend(now=now)
    return billed_findings.detect_unrequested_gpus(now=now)


MODULE = "reviews.workloads.actions"
ACTIONS: Mapping[str, Callable[[Cast, datetime], object]] = {
    f"{MODULE}.reports.store_report": lambda cast, now: store(by=cast.author, now=now),
    f"{MODULE}.reports.remove_cluster": removed,
    f"{MODULE}.billed_findings.detect_unrequested_gpus": found,
}
