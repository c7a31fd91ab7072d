"""Strangers' models and bubblewrap: nothing runs without it unless an administrator chose so, and the trail
says who.
"""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from benchmarking.runs import tasks as runs_tasks
from benchmarking.runs.actions import runs, sandbox
from benchmarking.runs.models import Run, SandboxChoice
from benchmarking.runs.queries.sandbox import last_layers, may_skip_bubblewrap
from benchmarking.runs.rules import needs_wall
from governance.audit.models import AuditEvent
from governance.inventory.models import ModelVersion
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast, make_person
from tests.factories.requests import finish_run, result_of
from tests.factories.sandbox import WHY, allow_any_walls
from tests.factories.snapshots import snapshot
from tests.pages import html_of
from tests.refusals import has_code
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, NotAllowed, WrongState
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.systems.sandbox import isolated
from weighbridge.systems.sandbox.bubblewrap import Layers

PLAN = {"scenario": "SingleStream", "min_samples": 700}
Api = Callable[[User | None], APIClient]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Layers]:
    """The layers of each run that began, on a machine without bubblewrap; nothing is measured."""
    found: list[Layers] = []
    monkeypatch.setattr(isolated, "layers_here", lambda: Layers(bubblewrap=None))
    monkeypatch.setattr(isolated, "run_sandboxed", lambda layers, **_: found.append(layers) or result_of())
    return found


def run_of(version: ModelVersion, now: datetime, *, data_by: User | None = None) -> Run:
    by = version.registered_by
    dataset = make_dataset(by=data_by, now=now) if data_by else None
    run = runs.queue(key="r", version=version, dataset=dataset, plan=PLAN, asked_for="", by=by, now=now)
    runs_tasks.execute_run(run.pk)
    run.refresh_from_db()
    return run


@pytest.fixture(autouse=True)
def second(cast: Cast, now: datetime) -> User:
    """Another administrator, without whom nobody allows anything."""
    return make_person("second.admin", Role.ADMIN, now=now)


def choose(cast: Cast, now: datetime, *, may: bool = True) -> SandboxChoice:
    if may:
        return allow_any_walls(by=cast.admin, now=now)
    choice = sandbox.choose(may_skip_bubblewrap=False, reason=WHY, by=cast.admin, now=now)
    assert isinstance(choice, SandboxChoice)
    return choice


def test_a_requesters_model_is_not_run_and_the_reader_learns_what_to_do(
    version: ModelVersion, begun: list[Layers], now: datetime
) -> None:
    run = run_of(version, now)
    assert (run.state, run.attempts, begun) == ("failed", 1, [])
    for words in ("Not measured: bubblewrap", "Install bubblewrap there", "administrator", "/sandbox/", "run it again"):
        assert words in run.error
    assert AuditEvent.objects.filter(kind="run.failed").count() == 1


def test_two_administrators_choose_to_go_without_and_one_to_go_back(
    version: ModelVersion, begun: list[Layers], cast: Cast, now: datetime
) -> None:
    choose(cast, now)
    assert (run_of(version, now).state, len(begun)) == ("done", 1)
    choose(cast, now, may=False)
    again = runs.repeat(run=Run.objects.get(), by=cast.author, now=now)
    runs_tasks.execute_run(again.pk)
    again.refresh_from_db()
    assert (again.state, len(begun)) == ("failed", 1)
    kinds = (
        AuditEvent.objects.filter(subject_type="sandbox").order_by("position").values_list("kind", "actor", "reason")
    )
    assert list(kinds) == [("sandbox.loosened", "Second Admin", WHY), ("sandbox.tightened", "Admin", WHY)]


def test_those_who_could_change_the_machine_are_measured_all_the_same(
    begun: list[Layers], cast: Cast, now: datetime
) -> None:
    version = make_version(by=cast.author, now=now)
    ModelVersion.objects.filter(pk=version.pk).update(registered_by=cast.approver)
    version.refresh_from_db()
    assert run_of(version, now).state == "done"
    Run.objects.all().delete()
    assert run_of(version, now, data_by=cast.author).state == "failed", "the data are a stranger's"
    assert len(begun) == 1


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("is_active", [True, False])
def test_who_is_trusted(role: Role, is_active: bool) -> None:
    person = Person(id=1, username="x", is_active=is_active, roles=frozenset({role}), teams=frozenset())
    is_trusted = is_active and role in {Role.PLATFORM_LEAD, Role.ADMIN}
    assert needs_wall([person], may_skip_bubblewrap=False) is not is_trusted
    assert needs_wall([person], may_skip_bubblewrap=True) is False


@pytest.mark.parametrize("name", ["author", "reviewer_one", "approver", "finance", "auditor", "outsider"])
def test_nobody_else_chooses(name: str, cast: Cast, api: Api, now: datetime) -> None:
    user = getattr(cast, name)
    before = snapshot()
    with pytest.raises(NotAllowed):
        sandbox.choose(may_skip_bubblewrap=True, reason="I want it.", by=user, now=now)
    assert snapshot() == before
    answer = api(user).post("/api/v1/sandbox/", {"may_skip_bubblewrap": True, "reason": WHY}, format="json")
    assert answer.status_code == 403
    browser = Client()
    browser.force_login(user)
    page = browser.post("/sandbox/choose/", {"may_skip_bubblewrap": "True", "reason": WHY}, follow=True)
    assert "Only administrators choose" in html_of(page)
    assert not may_skip_bubblewrap()


@pytest.mark.parametrize("reason", ["", "  ", "x", "Too short", "x" * 2_001])
@pytest.mark.parametrize("may", [True, False])
def test_a_choice_has_a_reason(reason: str, may: bool, cast: Cast, now: datetime) -> None:
    before = snapshot()
    with pytest.raises(Invalid, match="Give a reason of 10 to 2,000 characters"):
        sandbox.choose(may_skip_bubblewrap=may, reason=reason, by=cast.admin, now=now)
    assert snapshot() == before


def test_one_administrator_alone_allows_nothing(cast: Cast, second: User, now: datetime) -> None:
    change = sandbox.choose(may_skip_bubblewrap=True, reason=WHY, by=cast.admin, now=now)
    assert isinstance(change, Change)
    before = snapshot()
    for attempt in (
        lambda: approvals.confirm(change=change, by=cast.admin, now=now),
        lambda: approvals.confirm(change=change, by=cast.approver, now=now),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    with pytest.raises(WrongState, check=has_code("already_open")):
        sandbox.choose(may_skip_bubblewrap=True, reason=WHY, by=second, now=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        SandboxChoice.objects.create(may_skip_bubblewrap=True, reason=WHY, chosen_by=cast.admin, chosen_at=now)
    assert (snapshot(), may_skip_bubblewrap()) == (before, False)
    approvals.confirm(change=change, by=second, now=now)
    assert may_skip_bubblewrap()
    with pytest.raises(WrongState, match="already allowed"):
        sandbox.choose(may_skip_bubblewrap=True, reason=WHY, by=cast.admin, now=now)


def test_the_database_keeps_choices_as_they_were(cast: Cast, now: datetime) -> None:
    choice = choose(cast, now)
    for attempt in (
        lambda: SandboxChoice.objects.filter(pk=choice.pk).update(may_skip_bubblewrap=False),
        choice.delete,
        lambda: SandboxChoice.objects.create(may_skip_bubblewrap=True, reason="", chosen_by=cast.admin, chosen_at=now),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            attempt()


def test_page_and_program_choose_alike(
    cast: Cast, second: User, api: Api, version: ModelVersion, now: datetime
) -> None:
    run = runs.queue(key="r", version=version, dataset=None, plan=PLAN, asked_for="", by=cast.author, now=now)
    finish_run(run=run, now=now)
    assert last_layers() == ("process",)
    browser = Client()
    browser.force_login(cast.admin)
    page = html_of(browser.get("/sandbox/"))
    assert "measured only inside bubblewrap" in page
    assert "<li>process</li>" in page
    form = {"may_skip_bubblewrap": "True", "reason": "The <b>container</b> is a machine of its own."}
    page = html_of(browser.post("/sandbox/choose/", form, follow=True))
    change = Change.objects.get()
    assert (
        f"{change} is proposed. A second person must confirm it on its page, under Changes. Ask Second Admin." in page
    )
    assert "measured only inside bubblewrap" in page
    assert f'href="/changes/{change.pk}/"' in page
    other = Client()
    other.force_login(second)
    assert "Files from requesters would be measured" in html_of(other.get(f"/changes/{change.pk}/"))
    assert change.description in html_of(other.get("/"))
    other.post(f"/changes/{change.pk}/confirm/")
    page = html_of(browser.get("/sandbox/"))
    assert "with the isolation that the worker has" in page
    assert "&lt;b&gt;container&lt;/b&gt;" in page
    program = api(cast.admin)
    assert program.get("/api/v1/sandbox/").json() == {"may_skip_bubblewrap": True, "last_layers": ["process"]}
    answer = program.post("/api/v1/sandbox/", {"may_skip_bubblewrap": False, "reason": "It moved away."}, format="json")
    assert answer.json()["may_skip_bubblewrap"] is False
    assert SandboxChoice.objects.count() == 2
    again = program.post("/api/v1/sandbox/", {"may_skip_bubblewrap": True, "reason": WHY}, format="json")
    assert (again.status_code, again.json()["can_be_confirmed_by"]) == (202, ["second.admin"])
    assert program.get("/api/v1/sandbox/").json()["may_skip_bubblewrap"] is False


def test_a_page_without_a_reason_says_so(cast: Cast) -> None:
    browser = Client()
    browser.force_login(cast.admin)
    answer = browser.post("/sandbox/choose/", {"may_skip_bubblewrap": "True", "reason": ""})
    assert answer.status_code == 400
    assert "Give a reason of 10 to 2,000 characters." in html_of(answer)


def test_where_factors_are_required_the_choice_asks_for_one_and_no_program_makes_it(
    cast: Cast, api: Api, settings: Settings
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}
    totp.TOTP.activate(cast.admin, "JBSWY3DPEHPK3PXP")
    browser = Client()
    browser.force_login(cast.admin)
    asked = browser.post("/sandbox/choose/", {"may_skip_bubblewrap": "True", "reason": "x"})
    assert (asked.status_code, urlsplit(asked["Location"]).path) == (302, "/accounts/2fa/reauthenticate/")
    program = api(cast.admin)
    assert program.get("/api/v1/sandbox/").status_code == 200
    problem = program.post("/api/v1/sandbox/", {"may_skip_bubblewrap": True, "reason": WHY}, format="json")
    assert (problem.status_code, problem.json()["code"]) == (403, "second_factor")
    assert not SandboxChoice.objects.exists()


def test_a_repeat_never_goes_behind_fewer_walls_whoever_allowed_them(
    version: ModelVersion, begun: list[Layers], cast: Cast, now: datetime
) -> None:
    choose(cast, now)
    first = run_of(version, now)
    walled = result_of()
    isolation = Layers(bubblewrap="/usr/bin/bwrap").describe(())
    walled["manifest"] = seal_manifest({"isolation": isolation, "settings": to_document(ProfileSettings())})
    Run.objects.filter(pk=first.pk).update(result=walled)
    again = runs.repeat(run=Run.objects.get(), by=cast.author, now=now)
    runs_tasks.execute_run(again.pk)
    again.refresh_from_db()
    assert (again.state, len(begun)) == ("failed", 1)
    assert again.error.startswith("Not repeated: the first run used bubblewrap")
