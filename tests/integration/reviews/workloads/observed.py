"""Workload reports as tests send them, and requests for what they name."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.inventory.models import ModelVersion
from reviews.requests.models import ReviewRequest
from reviews.workloads.actions import reports
from reviews.workloads.models import ClusterReport
from tests.factories import kinds
from tests.factories import requests as walks
from tests.factories.kinds import digest
from weighbridge.client.workloads.report import read_report

IMAGE = digest("4")
SMALL = {"training_gpu_hours": "10", "training_cost_usd": "300", "inference_cost_1y_usd": "600"}


def workload(**changes: Any) -> dict[str, Any]:
    """A workload of the search team with an image that was pulled."""
    known = {
        "name": "ranker",
        "namespace": "search",
        "image": "registry.test/search/ranker:1",
        "image_digest": IMAGE,
        "gpus": {"H100": 4},
        "owner": "search",
    }
    return known | changes


def document(*workloads: dict[str, Any], at: datetime, **changes: Any) -> dict[str, Any]:
    """A report of the cluster gpu-1, whose environment is dev."""
    listed = list(workloads) or [workload()]
    known = {"cluster": "gpu-1", "environment": "dev", "observed_at": at.isoformat(), "workloads": listed}
    return known | changes


def store(
    *workloads: dict[str, Any], by: User, now: datetime, at: datetime | None = None, **changes: Any
) -> ClusterReport:
    """The report as it is stored."""
    report = read_report(document(*workloads, at=at or now, **changes))
    return reports.store_report(report=report, by=by, now=now)


def container(*, by: User, now: datetime) -> ModelVersion:
    """The registered image."""
    return kinds.register(task="other", subject=kinds.CONTAINER, slug="ranker", by=by, now=now)


def cleared(version: ModelVersion, *, by: User, now: datetime, environment: str = "dev") -> ReviewRequest:
    """A small request for the version that the policy clears."""
    return walks.make_submitted(
        by=by, version=version, environment=environment, declared=SMALL, with_data=False, now=now
    )
