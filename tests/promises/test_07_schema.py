"""Promise 7: whatever is sent to the API, it answers as its committed schema says, and never with a 5xx.

schemathesis makes the calls from `docs/reference/openapi.yaml`, valid ones and faulty ones, through WSGI; each is
rolled back, so that the next one meets the same installation.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarking.runs.models import Run
from config import env
from governance.people.actions import people
from tests.factories import requests as walks
from tests.factories.people import make_cast
from tests.integration.conftest import checklist, installation, now, policy, signing_key_pem
from tests.promises import harness_report
from tests.promises.tickets import LONG

__all__ = ["checklist", "installation", "now", "policy", "signing_key_pem"]
pytestmark = [pytest.mark.django_db, pytest.mark.nightly]

EXAMPLES = 60 if LONG else 2
SCHEMA = schemathesis.openapi.from_path(str(env.ROOT / "docs" / "reference" / "openapi.yaml"))
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
OPERATIONS_MIN = {GenerationMode.POSITIVE: len(OPERATIONS), GenerationMode.NEGATIVE: 30}
NAMES = {GenerationMode.POSITIVE: "valid", GenerationMode.NEGATIVE: "faulty"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
GENERATED = settings(
    max_examples=EXAMPLES,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """A request gives its connection back at its end; here that of the test's transaction has to stay."""
    both = (request_started, request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    yield
    for signal in both:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("one_connection")
@pytest.mark.parametrize("role", ["author", "admin"])
@pytest.mark.parametrize("mode", NAMES, ids=NAMES.get)
def test_every_answer_is_one_the_schema_knows(policy: object, now: datetime, role: str, mode: GenerationMode) -> None:
    cast = make_cast(now=now)
    request = walks.make_in_review(cast=cast, now=now)
    token = people.create_token(user=getattr(cast, role), valid_days=1, by=None, now=now)
    real = {"ref": request.ref, "name": "default-compute", "number": 1, "run_id": Run.objects.earliest("pk").pk}
    called: list[str] = []
    seen = Counter[str]()

    def exercise(operation: Any) -> None:
        @GENERATED
        @given(case=operation.as_strategy(mode))
        def call(case: Any) -> None:
            called.append(operation.label)
            if len(called) % 2:
                case.path_parameters |= {name: real[name] for name in case.path_parameters if name in real}
            with transaction.atomic():
                response = case.call(app=WSGIHandler(), headers={"Authorization": f"Token {token}"})
                transaction.set_rollback(True)
            seen.update(server_errors=response.status_code >= 500, breaches=1)
            case.validate_response(response, checks=CHECKS)
            seen.subtract(breaches=1)

        call()

    for operation in OPERATIONS:
        with contextlib.nullcontext() if mode is GenerationMode.POSITIVE else contextlib.suppress(Unsatisfiable):
            exercise(operation)  # a call that takes nothing cannot be made faulty
    assert len(set(called)) >= OPERATIONS_MIN[mode]
    counts = {"operations": len(set(called)), "calls": len(called), **seen}
    harness_report.tell("schema", __file__, what=f"{role}, {NAMES[mode]} calls", **counts)
