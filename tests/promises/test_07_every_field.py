"""Promise 7: every text anybody can write stays text, wherever it comes out: pages, admin, packet, mail, Jira, files.

`planted` fills every column that holds people's words (found in the models) with payloads that would call a canary
server, read a canary file, run a script or be a formula. A new column without a canary fails this file.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import User
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from openpyxl import load_workbook
from pypdf import PdfReader
from pytest_django import Settings

from benchmarking.projections.models import CostProjection
from benchmarking.runs.models import Dataset, Run, Worker
from governance.absences.models import Absence
from governance.bills.models import Bill
from governance.budgets.domain.quarters import Quarter
from governance.notifications.models import TeamWebhook
from governance.people.approvals.models import Change
from governance.saved_views.models import SavedView
from reviews.discussions.models import Comment, Thread
from reviews.evidence.models import ImportedFile
from reviews.packets.printing.pdf import WeasyPrintPrinter
from reviews.packets.queries.packet import packet_page
from reviews.quarterly.models import AgendaItem
from reviews.tickets.models import TicketRoute, TicketSite
from tests.factories import requests as walks
from tests.factories.people import Cast, make_cast
from tests.functional.conftest import Visitor, browser, visit
from tests.integration.conftest import installation, now, signing_key_pem
from tests.promises import harness_report, planted
from tests.promises.columns import OURS, columns
from tests.promises.payloads import Seeds
from tests.promises.planted import House
from tests.promises.reading import Page, entered
from tests.promises.test_07_canaries import PAYLOADS, canary
from tests.promises.tickets import LONG, world
from tests.tables import own_labels

pytestmark = pytest.mark.nightly

__all__ = ["browser", "canary", "installation", "now", "signing_key_pem", "visit"]

Canary = tuple[str, Path, list[str]]
FOREIGN = ("admin:", "account_", "socialaccount_", "mfa_", "openid_connect_")
POLICY = "Content-Security-Policy"
PROBES = ("/workz",)
"""They answer 503 where no worker runs."""
FORMULA = re.compile(r"[=+@]|-(?!\d+(\.\d+)?$)")  # a negative figure is a figure


@pytest.fixture
def cast(db: None, now: datetime) -> Cast:
    return make_cast(now=now)


@pytest.fixture
def seeds(canary: Canary) -> Seeds:
    return Seeds(url=canary[0], file=canary[1])


@pytest.fixture
def house(seeds: Seeds, cast: Cast, now: datetime) -> House:
    return planted.plant(seeds, cast=cast, now=now)


def test_every_column_of_text_is_planted_or_ours(house: House, canary: Canary) -> None:
    bare = {}
    for name, model, field in columns():
        words = [str(value) for value in model._default_manager.values_list(field, flat=True)]
        is_planted = any(canary[0] in word for word in words)
        if is_planted == (name in OURS):
            bare[name] = "planted, so not ours" if is_planted else "neither planted nor ours"
    assert bare == {}


def named(
    patterns: list[Any] | None = None, space: str = "", before: tuple[str, ...] = ()
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every named address of ours, and the parameters it takes."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        parameters = (*before, *getattr(pattern.pattern, "converters", {}))
        if isinstance(pattern, URLResolver):
            yield from named(
                pattern.url_patterns, f"{space}{pattern.namespace}:" if pattern.namespace else space, parameters
            )
        elif pattern.name and not f"{space}{pattern.name}".startswith(FOREIGN):
            yield f"{space}{pattern.name}", parameters


def pages(house: House, now: datetime) -> list[str]:
    """Every address of ours with the things of this house, and the admin's pages of our models."""
    asset = house.request.model_version.asset
    things = {
        "ref": house.request.ref,
        "run_id": Run.objects.latest("pk").pk,
        "item": "data-sheet",
        "metric": "latency_p95_ms",
        "number": 1,
        "condition_id": 1,
        "team": "search",
        "slug": asset.slug,
        "name": "default",
        "message_id": 1,
        "position": 1,
        "quarter": str(Quarter.of(now.date())),
        "unit": "USD",
        "version_id": house.request.model_version_id,
        "change_id": Change.objects.latest("pk").pk,
        "import_id": ImportedFile.objects.latest("pk").pk,
        "view_id": SavedView.objects.latest("pk").pk,
        "absence_id": Absence.objects.latest("pk").pk,
        "webhook_id": TeamWebhook.objects.latest("pk").pk,
        "dataset_id": Dataset.objects.latest("pk").pk,
        "worker_id": Worker.objects.latest("pk").pk,
        "digest": house.request.model_version.digest,
        "bill_id": Bill.objects.latest("pk").pk,
        "finding_id": 1,
        "item_id": AgendaItem.objects.earliest("pk").pk,
        "action": "ACT-1",
        "kpi": "conversion",
        "thread_id": Thread.objects.latest("pk").pk,
        "comment_id": Comment.objects.latest("pk").pk,
        "token": CostProjection.objects.latest("pk").token,
        "site_id": TicketSite.objects.latest("pk").pk,
        "route_id": TicketRoute.objects.latest("pk").pk,
    }
    found = {f"/runs/{run.pk}/{part}" for run in Run.objects.all() for part in ("", "charts/frontier.svg")}
    found |= {f"/changes/{each.pk}/" for each in Change.objects.all()}
    for kind in ("csv", "policies", "checklists"):
        for name, parameters in named():
            values = {each: {**things, "kind": kind}[each] for each in parameters}
            values |= {"kind": "request"} if name.startswith("reviews:discussion") else {}
            values |= {"name": "standard"} if kind == "checklists" and "name" in values else {}
            found.add(reverse(name, kwargs=values))
    for model in django_admin.site._registry:
        if model is User or model._meta.app_label in own_labels():
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            found.add(reverse(f"{name}_changelist"))
            found |= {reverse(f"{name}_change", args=[row.pk]) for row in model._default_manager.order_by("-pk")[:2]}
    return sorted(found)


def test_no_page_of_anybody_holds_a_payload_that_acts(house: House, canary: Canary, now: datetime) -> None:
    User.objects.filter(pk=house.cast.admin.pk).update(is_staff=True, is_superuser=True)
    faults, shown, drawn, read = {}, 0, 0, 0
    for person in ("author", "admin", "approver", "outsider"):
        client = entered(getattr(house.cast, person))
        for path in pages(house, now):
            answer = client.get(path)
            assert answer.status_code < 500 or path in PROBES, path
            read += 1
            if answer.get("Content-Type", "").startswith("text/html"):
                content = answer.content.decode()
                shown += canary[0] in content
                if found := Page(content, url=canary[0]).faults:
                    faults[f"{path} as {person}"] = found
            elif canary[0].encode() in answer.getvalue():
                assert answer["X-Content-Type-Options"] == "nosniff", path
                assert answer["Content-Type"].partition(";")[0] != "text/html", path
                is_drawn = answer["Content-Type"] == "image/svg+xml"
                assert not is_drawn or {"default-src 'none'", "sandbox"} <= set(answer[POLICY].split("; ")), path
                drawn += is_drawn
    assert faults == {}
    assert shown > 60
    assert drawn > 0
    assert canary[2] == []
    harness_report.tell(
        "canaries",
        __file__,
        columns=len(list(columns())) - len(OURS),
        payloads=len(PAYLOADS),
        answers=read,
        showing=shown + drawn,
        acting=len(faults),
        hits=len(canary[2]),
    )


def test_files_of_lists_hold_no_formula(house: House, canary: Canary, now: datetime) -> None:
    client, quarter = entered(house.cast.admin), str(Quarter.of(now.date()))
    lists = ("/requests", "/audit", "/findings", "/models", "/bills", "/exchange-rates")
    for name in (*lists, f"/budgets/search/{quarter}/USD/ledger"):
        text = client.get(f"{name}.csv").content.decode("utf-8-sig")
        cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
        sheet = load_workbook(io.BytesIO(client.get(f"{name}.xlsx").content)).active
        cells += [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.data_type != "n"]
        assert [cell for cell in cells if FORMULA.match(cell)] == [], name
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"n", "s", "inlineStr"}, name
        assert any(canary[0] in cell for cell in cells), name


def test_the_packet_fetches_nothing_and_holds_no_file(house: House, canary: Canary) -> None:
    page = packet_page(house.packet)
    html = render_to_string("reviews/packets/review.html", page.context)
    assert Page(html, url=canary[0]).faults == []
    printed = WeasyPrintPrinter().print(html, assets=page.assets)
    reader = PdfReader(io.BytesIO(printed))
    text = "".join(sheet.extract_text() for sheet in reader.pages)
    assert house.request.ref in text
    assert "the canary in the file" not in text
    assert b"the canary in the file" not in printed
    assert dict(reader.attachments) == {}
    links = [
        note.get_object().get("/A", {}).get("/URI", "") for sheet in reader.pages for note in sheet.get("/Annots", [])
    ]
    assert [link for link in links if link.startswith((canary[0], "javascript:", "file:"))] == []
    assert canary[2] == []


def test_mail_is_text_alone(house: House, canary: Canary) -> None:
    User.objects.filter(pk=house.cast.author.pk).update(email="author@example.org")
    Client().post("/accounts/password/reset/", {"email": "author@example.org"})
    (sent,) = mail.outbox
    assert (getattr(sent, "alternatives", []), sent.content_subtype) == ([], "plain")
    assert canary[0] not in sent.subject + str(sent.body)
    assert "\n" not in sent.subject


@pytest.mark.django_db
def test_the_ticket_in_jira_holds_text_and_leads_home(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path, seeds: Seeds, canary: Canary
) -> None:
    with world(monkeypatch, settings, tmp_path) as there:
        User.objects.update(first_name=seeds.short(), last_name=seeds.short())
        there.author.refresh_from_db()
        request = walks.make_submitted(
            by=there.author,
            now=there.clock(),
            version=there.version,
            with_data=False,
            title=seeds.short(),
            purpose=seeds.short(),
        )
        there.tell(request, "changes_requested", seeds.long())
        there.settle()
        (issue,) = there.jira.issues.issues
        whole = json.dumps(issue)
        assert canary[0] in whole
        links = [mark["attrs"]["href"] for mark in _nodes(issue, "marks") if mark["type"] == "link"]
        links += [card["attrs"]["url"] for card in _nodes(issue, "content") if card.get("type") == "inlineCard"]
        assert links
        assert [link for link in links if not link.startswith("https://weighbridge.test/")] == []
        kinds = {node["type"] for node in _nodes(issue, "content")}
        assert kinds <= {"paragraph", "heading", "text", "hardBreak", "table", "tableRow", "tableHeader", "tableCell"}
    assert canary[2] == []


def _nodes(node: Any, name: str) -> Iterator[dict[str, Any]]:
    """Everything in lists called `name`, wherever in the document."""
    if isinstance(node, dict):
        yield from (each for each in node.get(name, []) if isinstance(node.get(name), list))
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _nodes(each, name)


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_in_a_browser_nothing_is_called_and_the_content_policy_is_never_met(
    live_server: Any, visit: Callable[[User | None], Visitor], seeds: Seeds, canary: Canary, now: datetime
) -> None:
    house = planted.plant(seeds, cast=make_cast(now=now), now=now)
    User.objects.filter(pk=house.cast.admin.pk).update(is_staff=True, is_superuser=True)
    visitor = visit(house.cast.admin)
    client, found, seen = entered(house.cast.admin), {}, 0
    for path in (path for path in pages(house, now) if LONG or not path.startswith("/admin/")):
        answer = client.get(path)
        is_page = answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
        if is_page and canary[0] in answer.content.decode() and not answer.content.startswith(b"<div"):
            visitor.page.goto(f"{visitor.url}{path}", wait_until="load")
            seen += 1
            if violations := visitor.violations():
                found[path] = violations
    assert found == {}
    assert seen > 15
    assert (canary[2], visitor.record.foreign) == ([], [])
