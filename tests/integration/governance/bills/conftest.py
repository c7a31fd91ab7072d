"""What tests of bills share: sending a file and letting a worker read it."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.files.base import ContentFile

from governance.bills import tasks as bills_tasks
from governance.bills.actions import bills
from governance.bills.actions.bills import Delivery
from governance.bills.models import Bill
from tests.factories.people import Cast

Send = Callable[..., Bill]


@pytest.fixture
def send(cast: Cast, now: datetime) -> Send:
    """Receive a file as finance, and leave it in the queue."""

    def sent(content: bytes, name: str = "bill.csv", **delivery: object) -> Bill:
        upload = ContentFile(content, name=name)
        return bills.receive(upload=upload, delivery=Delivery(**delivery), by=cast.finance, now=now)  # type: ignore[arg-type]

    return sent


@pytest.fixture
def read(send: Send, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Receive a file and read it as a worker does."""
    monkeypatch.setattr(bills_tasks, "PROGRESS_EVERY_S", 0.01)

    def taken_in(content: bytes, name: str = "bill.csv", **delivery: object) -> Bill:
        bill = send(content, name, **delivery)
        bills_tasks.ingest_bill(bill.pk)
        bill.refresh_from_db()
        return bill

    return taken_in
