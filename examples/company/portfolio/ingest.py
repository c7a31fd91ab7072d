"""Publish allocation rules with two people, and ingest bills with the code of the worker."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import yaml
from django.core.files import File

from examples.company.portfolio.company_model import Model
from examples.company.portfolio.files import CLUSTER, PROVIDER, TAG
from examples.company.portfolio.people import Staff
from governance.bills import tasks as bills_tasks
from governance.bills.actions import allocation, bills
from governance.bills.actions.bills import Delivery
from governance.bills.enums import BillKind, BillOrigin
from governance.jobs.enums import JobState
from governance.people.approvals import actions as approvals
from governance.rulebook.actions.publication import propose_publication

WHY = "Every tag in the bills now has a model."


def publish_rules(
    models: tuple[Model, ...], *, refs: Mapping[str, str], trained: Collection[str], staff: Staff, now: datetime
) -> None:
    """Finance drafts the allocation rules, and an administrator confirms their publication.

    `trained` are the models whose approved request covers a training in this quarter; a retraining is charged to the
    account of the team.
    """
    rules = [
        {
            "id": f"{model.slug}-{what}",
            "match": {"providers": [provider], "tags": {TAG: [model.slug]}},
            "account": model.team,
            "model": f"{model.team}/{model.slug}",
        }
        | ({"request": refs[model.slug]} if what == "serving" or model.slug in trained else {})
        for model in models
        for what, provider in (("serving", PROVIDER), ("training", BillKind.SLURM.value))
    ]
    document = {"apiVersion": "weighbridge/v1", "kind": "AllocationRules", "name": "default", "rules": rules}
    draft = allocation.draft(source=yaml.safe_dump(document, sort_keys=False), by=staff.finance, now=now)
    change = propose_publication(version=draft, reason=WHY, by=staff.finance, now=now)
    approvals.confirm(change=change, by=staff.admin, now=now)


def ingest_file(path: Path, *, staff: Staff, now: datetime) -> str:
    """Receive a file as finance and ingest it like a worker. Returns a summary."""
    is_bill = "focus" in path.name
    made = Delivery(origin=BillOrigin.GENERATED)
    delivery = made if is_bill else replace(made, kind=BillKind.SLURM, cluster=CLUSTER)
    with path.open("rb") as file:
        bill = bills.receive(upload=File(file, name=path.name), delivery=delivery, by=staff.finance, now=now)
    bills_tasks.ingest_bill(bill.pk)
    bill.refresh_from_db()
    if bill.state != JobState.DONE or bill.report is None:
        raise SystemExit(f"{path.name} could not be read: {bill.error}")
    return f"{path.name}: {bill.report['rows_kept']} of {bill.report['rows_read']} rows stored"
