"""Whoever may not take a step on a page learns that first, and not what the form lacks; nothing moves."""

import pytest

from tests.factories.people import Cast
from tests.factories.snapshots import snapshot
from tests.integration.reviews.requests.reading import enter, words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/absences/",
        "/allocation-rules/new/",
        "/bills/",
        "/budgets/",
        "/changes/",
        "/cost-centers/",
        "/datasets/new/",
        "/exchange-rates/",
        "/prices/publish/",
        "/prices/withdraw/",
        "/requests/new/",
        "/rulebook/checklists/new/",
        "/rulebook/policies/new/",
        "/sandbox/choose/",
        "/scorecard/",
        "/scorecard/upload/",
        "/usage/upload/",
        "/workloads/remove/",
    ],
)
def test_an_auditor_is_told_that_auditors_only_read(cast: Cast, path: str) -> None:
    before = snapshot()
    answer = enter(cast.auditor).post(path, {})
    assert answer.status_code == 403, words(answer)
    assert "This field is required" not in words(answer)
    assert snapshot() == before
