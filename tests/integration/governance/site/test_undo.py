"""Undo of steps that left nothing behind: it checks person, time and state again."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from governance.absences.models import Absence
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.site.web import undo
from tests.factories.absences import REASON, days
from tests.factories.people import Cast
from tests.pages import html_of, undo_form

pytestmark = pytest.mark.django_db
Browser = Callable[[User], Client]


def stated(browser: Client, now: datetime, **given: str) -> dict[str, str]:
    period = days(now)
    sent = {"starts_on": str(period.starts_on), "ends_on": str(period.ends_on)} | given
    return undo_form(browser.post("/absences/", sent, follow=True))


def test_an_absence_is_taken_back_once(cast: Cast, as_: Browser, now: datetime) -> None:
    browser = as_(cast.reviewer_one)
    form = stated(browser, now)
    answer = browser.post("/undo/", form, follow=True)
    row = Absence.objects.get()
    assert f"{row} is taken back." in html_of(answer)
    assert answer.redirect_chain == [("/absences/#announcements", 302)]
    assert row.ended_by == cast.reviewer_one
    assert "that you can see and that is not over" in html_of(browser.post("/undo/", form, follow=True))


def test_the_button_sends_the_token_against_forged_requests(cast: Cast, now: datetime) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.reviewer_one)
    browser.get("/absences/")
    sent = {"starts_on": str(now.date()), "ends_on": str(now.date())}
    given = {"csrfmiddlewaretoken": browser.cookies["csrftoken"].value}
    answer = browser.post("/absences/", sent | given, follow=True)
    form = html_of(answer).partition('action="/undo/"')[2]
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form.partition("</form>")[0])
    assert token is not None
    assert browser.post("/undo/", undo_form(answer)).status_code == 403
    browser.post("/undo/", undo_form(answer) | {"csrfmiddlewaretoken": token[1]})
    assert Absence.objects.get().ended_at is not None


def test_an_absence_of_another_person_is_taken_back_with_a_reason(cast: Cast, as_: Browser, now: datetime) -> None:
    lead = as_(cast.approver)
    lead.post("/undo/", stated(lead, now, person="reviewer_two", reason=REASON))
    assert Absence.objects.get().ended_by == cast.approver


def test_a_permission_that_is_gone_denies_the_undo(cast: Cast, as_: Browser, now: datetime) -> None:
    lead = as_(cast.approver)
    form = stated(lead, now, person="reviewer_two", reason=REASON)
    cast.approver.role_grants.all().delete()
    lead.post("/undo/", form)
    assert Absence.objects.get().ended_at is None


@pytest.mark.parametrize("change", ["token", "person", "time", "nothing given"])
def test_a_token_of_another_person_or_time_undoes_nothing(
    cast: Cast, as_: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    browser = as_(cast.reviewer_one)
    form = stated(browser, now)
    if change == "token":
        form["token"] = form["token"][:-1] + ("A" if form["token"][-1] != "A" else "B")
    elif change == "person":
        browser = as_(cast.approver)
    elif change == "time":
        monkeypatch.setattr(undo, "SECONDS", -1)
    else:
        form = {}
    assert undo.TOO_LATE in html_of(browser.post("/undo/", form, follow=True))
    assert Absence.objects.get().ended_at is None


def test_the_way_back_stays_on_this_site(cast: Cast, as_: Browser, now: datetime) -> None:
    browser = as_(cast.reviewer_one)
    for page in ("https://elsewhere.example/", "//elsewhere.example/", "/\\elsewhere.example"):
        assert browser.post("/undo/", {"token": "x", "page": page})["Location"] == "/#announcements"


def test_notifications_are_unread_again(cast: Cast, as_: Browser, now: datetime) -> None:
    event = Occurrence(kind="decided", key="a", reference="MRR-2026-0001", path="/", sentence="It is approved.")
    notify(event=event, people=[cast.author], now=now)
    browser = as_(cast.author)
    form = undo_form(browser.post("/notifications/read/", follow=True))
    assert "1 notification marked as unread." in html_of(browser.post("/undo/", form, follow=True))
    assert "0 notifications marked as unread." in html_of(browser.post("/undo/", form, follow=True))
    assert "Undo" not in html_of(as_(cast.finance).post("/notifications/read/", follow=True))


def test_a_step_that_was_renamed_meanwhile_is_refused_by_its_name(
    cast: Cast, as_: Browser, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = as_(cast.reviewer_one)
    form = stated(browser, now)
    monkeypatch.delitem(undo._UNDOINGS, "absence")
    answer = browser.post("/undo/", form, follow=True)
    assert undo.UNKNOWN.format(step="absence") in html_of(answer)
    assert Absence.objects.get().ended_at is None


def test_a_step_that_nothing_undoes_gets_no_button(rf: RequestFactory) -> None:
    known = "known are absence, agenda item removed, notifications read, view removed"
    with pytest.raises(LookupError, match=f"^No function undoes 'flown away'; {known}.$"):
        undo.tell(rf.get("/"), undo.Undoable("Done.", step="flown away"))
