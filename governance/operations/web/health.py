"""Probes for load balancers, container health checks and operators, and the same checks as a page."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from governance.inventory.actions.stored_files import in_bucket
from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from governance.jobs.queries import doubt_of_clock, is_delayed, silent_queues
from governance.jobs.worker_signals import reach_broker
from governance.notifications.actions.mail_test import send_test_mail
from governance.notifications.models import MAIL
from governance.people.rules import check_operate
from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import refusals_shown
from weighbridge.core import attestation

log = logging.getLogger(__name__)
OK, DELAYED, FAILED = "ok", "delayed", "failed"


def livez(request: HttpRequest) -> HttpResponse:
    """Liveness. It does not use the database, so that an unavailable database does not restart a healthy process."""
    return HttpResponse("ok\n", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """Readiness: 200 while requests can be served, otherwise 503 with advice, which contains no addresses.

    What only delays work is not asked: a bucket that stands still must not make a load balancer wait for the answer.
    """
    return _answer("ready", {FAILED})


def workz(request: HttpRequest) -> JsonResponse:
    """Whether work goes on: 200 while nothing is delayed, otherwise 503, for alerts. A load balancer asks `/readyz`."""
    return _answer("works", {FAILED, DELAYED})


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """`/settings/health/`: each check in words, and whether mail leaves. Raises NotAllowed."""
    check_operate(person_of(request))
    mails = OutboxMessage.objects.filter(kind=MAIL)
    context = {
        "checks": _run_checks({FAILED, DELAYED}),
        "has_mail": settings.WEIGHBRIDGE["HAS_MAIL"],
        "sender": settings.DEFAULT_FROM_EMAIL,
        "last_mail_at": mails.filter(state=JobState.DONE).aggregate(at=Max("finished_at"))["at"],
        "failed_mail": mails.exclude(error="").exclude(state=JobState.DONE).order_by("-pk").first(),
    }
    return render(request, "governance/operations/health.html", context)


@require_POST
def test_mail(request: HttpRequest) -> HttpResponse:
    """Send a test mail to the own address."""
    check_operate(person_of(request))
    with refusals_shown(request):
        send_test_mail(by=user_of(request), now=timezone.now())
        messages.success(request, "A mail to your own address is on its way. Reload this page to see whether it left.")
    return redirect("governance:health")


def _answer(word: str, unwell: set[str]) -> JsonResponse:
    checks = _run_checks(unwell)
    is_well = all(check["state"] == OK for check in checks)
    answer = {word: is_well, "checks": checks}
    return JsonResponse(answer, status=200 if is_well else 503, headers={"Cache-Control": "no-store"})


def _run_checks(unwell: set[str]) -> list[dict[str, str]]:
    """The results, in the order of the page, of the checks that apply and that find one of the states `unwell`.

    Artifacts are in a folder or in a bucket.
    """
    elsewhere = "artifacts" if in_bucket() else "bucket"
    return [_run_check(*each) for each in CHECKS if each[0] != elsewhere and each[2] in unwell]


def _run_check(name: str, check: Callable[[], object], state: str, says: str) -> dict[str, str]:
    """The result: ok, delayed (work waits, nothing is lost) or failed, with the advice."""
    try:
        is_well = check() is not False
    except Exception as error:  # noqa: BLE001 -- whatever it is, the answer is that it does not work
        log.warning("Health check failed: %s (%s: %s)", name, type(error).__name__, error)
        is_well = False
    return {"name": name, "state": OK if is_well else state, "says": "" if is_well else says}


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrated() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _signing_key() -> None:
    attestation.public_pem(Path(settings.WEIGHBRIDGE["SIGNING_KEY"]).read_text())


def _artifacts() -> None:
    name = storages["artifacts"].save(f"probe-{uuid4().hex}", ContentFile(b"probe"))
    storages["artifacts"].delete(name)


def _bucket() -> None:
    bucket: Any = storages["artifacts"]
    bucket.check_response()


def _work_goes_on() -> bool:
    return not is_delayed(now=timezone.now())


def _clock_is_trusted() -> bool:
    return not doubt_of_clock()


def _workers_take_messages() -> bool:
    return not silent_queues(now=timezone.now())


CHECKS: tuple[tuple[str, Callable[[], object], str, str], ...] = (
    ("database", _database, FAILED, "The database does not respond. Check DATABASE_URL and the server."),
    ("migrations", _migrated, FAILED, "The tables do not match this version. Run manage.py migrate."),
    ("signing_key", _signing_key, FAILED, "The signing key cannot be used. Check WEIGHBRIDGE_SIGNING_KEY."),
    ("artifacts", _artifacts, FAILED, "Files cannot be written. Check the folder WEIGHBRIDGE_VAR and its disk space."),
    (
        "bucket",
        _bucket,
        DELAYED,
        "The bucket of the artifacts does not respond, or it refuses. Check WEIGHBRIDGE_ARTIFACTS and its keys.",
    ),
    (
        "broker",
        reach_broker,
        DELAYED,
        "The broker does not respond. The tick finds the work when workers can reach the broker.",
    ),
    (
        "clock",
        _clock_is_trusted,
        DELAYED,
        "The clock is not trusted: nothing expires, lapses or closes. Set it right, or run manage.py confirm_clock.",
    ),
    (
        "workers",
        _workers_take_messages,
        DELAYED,
        "A worker has taken nothing for more than half a minute, although it was asked to. Restart it.",
    ),
    ("work", _work_goes_on, DELAYED, "Due work has waited for more than a minute. Check the tick and the workers."),
)
