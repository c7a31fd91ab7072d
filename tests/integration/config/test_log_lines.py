"""Log lines: one object a line, the same request id from the page to the job to Jira, and no secret in any of them."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, RequestFactory
from django.urls import URLResolver, get_resolver

from config.celery import CorrelatedTask, app
from config.log_lines import JsonLine, TextLine
from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from governance.audit.models import AuditEvent
from governance.jobs import outbox
from governance.jobs import tasks as jobs_tasks
from governance.jobs import worker_signals as wakeups
from governance.jobs.models import OutboxMessage
from governance.site.web.middleware import RequestContext
from reviews.tickets.jira.client import JiraClient
from reviews.tickets.jira.settings import JiraSettings
from weighbridge.core import masking

CANARY = "c4n4ry-Q9zP-sesame"
log = logging.getLogger("weighbridge.test")


class Lines(logging.Handler):
    """What would stand in the log."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything that is logged, as production writes it."""
    handler = Lines(JsonLine())
    root = logging.getLogger()
    before, root.level = root.level, logging.INFO
    root.addHandler(handler)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> str:
    """A secret this installation knows."""
    monkeypatch.setattr(masking, "_known", {CANARY})
    return CANARY


def said(lines: Lines, logger: str) -> list[dict[str, str]]:
    return [line for text in lines.lines if (line := json.loads(text))["logger"] == logger]


def test_a_line_is_one_object_with_its_marks(lines: Lines) -> None:
    with trace.correlated(request_id="r1", task="t"):
        log.warning("two\nlines of %s", "words", extra={"facts": {"status": 200}})
    (line,) = said(lines, "weighbridge.test")
    assert len(lines.lines[-1].splitlines()) == 1
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "weighbridge.test",
        "message": "two\nlines of words",
        "request_id": "r1",
        "task": "t",
        "status": "200",
    }


@pytest.mark.parametrize("formatter", [JsonLine(), TextLine("%(message)s")])
def test_no_secret_in_message_arguments_facts_or_traceback(secret: str, formatter: logging.Formatter) -> None:
    handler = Lines(formatter)
    try:
        raise ValueError(f"https://bot:{secret}x@jira.test said no; {secret}")
    except ValueError as error:
        made = log.makeRecord(
            "n",
            logging.ERROR,
            "f",
            1,
            "%s",
            (f"Authorization: Basic {secret}",),
            (type(error), error, error.__traceback__),
        )
    made.metric_values = {"path": f"/x?token={secret}"}
    handler.handle(made)
    (line,) = handler.lines
    assert secret not in line
    assert line.count("[hidden]") >= 3
    assert "ValueError" in line


def test_every_request_leaves_a_line_but_for_probes_and_files(lines: Lines, client, admin) -> None:
    client.force_login(admin)
    answer = client.get("/integrations/?q=private")
    client.get("/livez")
    (line,) = said(lines, "governance.site.web.middleware")
    assert line["request_id"] == answer["X-Request-ID"]
    assert (line["method"], line["path"], line["status"], line["user_id"]) == (
        "GET",
        "/integrations/",
        "200",
        str(admin.pk),
    )
    assert "private" not in "".join(lines.lines)


def _permissions(patterns: list[Any], before: str = "/") -> Iterator[str]:
    """An example of each address of which a part is a permission, with the canary as this part."""
    for pattern in patterns:
        route = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from _permissions(pattern.url_patterns, route)
        elif {"token", "key"} & set(pattern.pattern.converters or pattern.pattern.regex.groupindex):
            yield re.sub(r"<(?:\w+:)?\w+>|\(\?P<\w+>[^()]*\)", CANARY, route)


def test_no_permission_in_an_address_is_logged(lines: Lines, client: Client, db: None) -> None:
    found = _permissions(get_resolver().url_patterns)
    paths = [path for path in found if "/costs/" not in path]  # which says nothing to whoever has no account
    assert any(path.startswith("/accounts/password/reset/key/") for path in paths)
    for path in paths:
        client.get(path)
    written = said(lines, "governance.site.web.middleware")
    assert len(written) == len(paths) >= 3
    assert CANARY not in "".join(lines.lines)


def test_work_of_a_person_is_marked_with_who_they_are(client, admin, monkeypatch) -> None:
    seen: dict[str, str] = {}
    monkeypatch.setattr(
        "governance.operations.web.integrations.effects.pauses", lambda: seen.update(trace.correlation_ids()) or []
    )
    client.force_login(admin)
    answer = client.get("/integrations/")
    assert seen == {"request_id": answer["X-Request-ID"], "user_id": str(admin.pk)}


def test_the_request_id_follows_into_the_outbox_the_job_the_trail_and_jira(db, now, lines, monkeypatch) -> None:
    headers: list[str | None] = []

    def act(message: OutboxMessage) -> None:
        chosen = JiraSettings(
            url="https://jira.test",
            email="bot@example.org",
            token="t",
            project="MR",
            issue_type="Task",
            fields={},
            settle_s=1,
        )
        jira = JiraClient(chosen)
        headers.append(jira._session.headers.get("X-Request-ID"))
        jira.disconnect()
        log.info("Acting.")
        with transaction.atomic():
            audit.record(kind="probe.acted", by=None, subject=("probe", "1"), now=now)

    monkeypatch.setitem(outbox.HANDLERS, "probe", act)

    def view(request):
        from django.http import HttpResponse

        outbox.enqueue(kind="probe", key="probe:1", lane="probe", payload={}, now=now)
        return HttpResponse()

    answer = RequestContext(view)(RequestFactory().get("/"))
    asked_in = answer["X-Request-ID"]
    message = OutboxMessage.objects.get(key="probe:1")
    assert message.asked_in == asked_in
    jobs_tasks.deliver(message.pk)
    (line,) = said(lines, "weighbridge.test")
    assert (line["request_id"], line["outbox_key"]) == (asked_in, "probe:1")
    assert AuditEvent.objects.get(kind="probe.acted").request_id == asked_in
    assert headers == [asked_in]


def test_a_task_is_marked_with_its_name_and_the_header_of_its_wake_up() -> None:
    seen: list[dict[str, str]] = []

    class Probe(CorrelatedTask):
        name = "probe.task"

        def run(self) -> None:
            seen.append(trace.correlation_ids())

    probe = app.register_task(Probe())
    probe()
    probe.push_request(request_id="r-7")
    probe()
    probe.pop_request()
    app.tasks.pop("probe.task")
    assert seen == [{"task": "probe.task"}, {"task": "probe.task", "request_id": "r-7"}]


@pytest.mark.django_db(transaction=True)
def test_a_wake_up_carries_the_request_id(now, monkeypatch) -> None:
    sent: list[object] = []
    monkeypatch.setattr(
        wakeups.current_app, "send_task", lambda name, args, **options: sent.append((args, options["headers"]))
    )
    with trace.correlated(request_id="r-8"):
        outbox.wake("x", 5)
    assert sent == [((5,), {"request_id": "r-8"})]


def test_the_reason_of_a_failure_is_kept_without_secrets(db, now, secret, lines, monkeypatch) -> None:
    def fail(message: OutboxMessage) -> None:
        raise ValueError(f"https://bot:{secret}@jira.test refused token={secret}")

    def ask(message: OutboxMessage) -> None:
        raise outbox.NeedsPerson(f"The token {secret} is refused.")

    for kind, handler in (("probe.fail", fail), ("probe.ask", ask)):
        monkeypatch.setitem(outbox.HANDLERS, kind, handler)
        row = outbox.enqueue(kind=kind, key=kind, lane=kind, payload={}, now=now)
        jobs_tasks.deliver(row.pk)
    errors = list(OutboxMessage.objects.order_by("pk").values_list("error", flat=True))
    assert errors == ["ValueError: https://[hidden]@jira.test refused token=[hidden]", "The token [hidden] is refused."]
    assert secret not in "".join(lines.lines)
