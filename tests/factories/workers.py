"""A registered worker elsewhere, its calls through the test client, and results as an honest worker sends them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.response import Response
from rest_framework.test import APIClient

from benchmarking.runs.actions import workers
from benchmarking.runs.actions.workers import NewWorker
from benchmarking.runs.models import Worker
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.domain.scopes import TokenScope
from tests.factories.people import Cast
from tests.factories.requests import result_of
from weighbridge.client.worker.measurement import RunOrder, read_order
from weighbridge.client.worker.statement import sign_statement, statement_of
from weighbridge.core import attestation
from weighbridge.core.canonical import plain
from weighbridge.core.converter import to_document
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.systems.sandbox.bubblewrap import BUBBLEWRAP

REASON = "A machine in the second data center."
BASE = "/api/v1/worker/"


@dataclass(frozen=True)
class Elsewhere:
    """A worker with its account, private key, token, and a client that sends the token."""

    worker: Worker
    account: User
    key_pem: str
    token: str
    client: APIClient

    def claim(self, *, at: datetime, **headers: Any) -> Response:
        return self.client.post(f"{BASE}take/", {"at": plain(at)}, format="json", **headers)

    def order(self, *, at: datetime) -> RunOrder:
        """The order that a claim is answered with."""
        answer = self.claim(at=at)
        assert answer.status_code == 200, answer.content
        return read_order(answer.json()["order"])

    def send(self, order: RunOrder, result: dict[str, Any], *, envelope: object = None, **fields: Any) -> Response:
        """Send a result; signed as it should be unless an envelope is given."""
        own = sign_statement(statement_of(order, result), private_key_pem=self.key_pem)
        form = {
            "lease": order.lease,
            "envelope": json.dumps(own if envelope is None else envelope),
            "file": SimpleUploadedFile("result.json", json.dumps(result).encode()),
        }
        return self.client.post(f"{BASE}runs/{order.run}/result/", form | fields, format="multipart")

    def step(self, order: RunOrder, step: str, **fields: Any) -> Response:
        """Renew, fail or hand back."""
        return self.client.post(f"{BASE}runs/{order.run}/{step}/", {"lease": order.lease} | fields, format="json")


def new_worker(account: User, key_pem: str, *, name: str = "rack-7", **fields: Any) -> NewWorker:
    public = attestation.public_pem(key_pem)
    given = {"queue": "cpu", "machine": "EPYC 9354, 64 GB", "public_key": public} | fields
    return NewWorker(name=name, account=account.username, **given)


def make_worker(*, cast: Cast, now: datetime, name: str = "rack-7", **fields: Any) -> Elsewhere:
    """Proposed by the platform lead, confirmed by the administrator; with a token of its account."""
    account = User.objects.create_user(f"worker-{name}", password=None)
    key_pem = attestation.new_key_pem()
    entry = new_worker(account, key_pem, name=name, **fields)
    change = workers.propose(entry=entry, reason=REASON, by=cast.approver, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)
    token = people.create_token(user=account, valid_days=1, scope=TokenScope.WORKER, by=None, now=now)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return Elsewhere(Worker.objects.get(name=name, retired_at=None), account, key_pem, token, client)


def measured(order: RunOrder, *, at: datetime, **fields: Any) -> dict[str, Any]:
    """An honest result of an order, measured at `at`, without measuring."""
    result = result_of()
    asked = order.measurement
    described = {
        **result["manifest"],
        "model": {"digest": asked.model},
        "data": {"digest": asked.data} if asked.data else None,
        "settings": to_document(asked.settings),
        "isolation": BUBBLEWRAP,
    }
    run = {"duration_s": 0.0}
    return {**result, "measured_at": at.isoformat(), "run": run, "manifest": seal_manifest(described), **fields}
