"""Bills from a watched folder and from the command line."""

import os
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from governance.audit.models import AuditEvent
from governance.bills import tasks as bills_tasks
from governance.bills.models import Bill
from governance.jobs import actions as jobs
from governance.jobs.enums import JobState
from governance.jobs.kinds import kind_of
from tests.factories.bills import csv_bytes, row, written

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    path = tmp_path / "inbox"
    path.mkdir()
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"BILLS_FOLDER": str(path)}
    return path


def lay(folder, content, name, *, at):
    path = written(folder, content, name)
    os.utime(path, (at.timestamp(), at.timestamp()))


def test_a_file_that_lies_still_is_received_once(folder, now):
    lay(folder, csv_bytes(), "september.csv", at=now - timedelta(minutes=2))
    lay(folder, csv_bytes(), "growing.csv", at=now)
    lay(folder, csv_bytes(), ".hidden.csv", at=now - timedelta(minutes=2))
    (folder / "sub").mkdir()
    for _ in range(2):
        bills_tasks.watch_folder(now)
    (bill,) = Bill.objects.all()
    assert (bill.name, bill.origin, bill.state, bill.received_by) == ("september.csv", "folder", JobState.QUEUED, None)


def test_a_copy_is_looked_at_once_and_stops_no_other_file(folder, now, monkeypatch):
    monkeypatch.setattr(bills_tasks, "RECEIVED_AT_ONCE", 1)
    lay(folder, csv_bytes(), "first.csv", at=now - timedelta(minutes=2))
    assert not bills_tasks.watch_folder(now)
    lay(folder, csv_bytes(), "copy.csv", at=now - timedelta(minutes=3))
    lay(folder, csv_bytes([row(BilledCost="7")]), "other.csv", at=now - timedelta(minutes=2))
    assert [bills_tasks.watch_folder(now) for _ in range(3)] == [True, False, False]
    states = dict(Bill.objects.values_list("name", "state"))
    assert states == {"first.csv": JobState.QUEUED, "copy.csv": JobState.FAILED, "other.csv": JobState.QUEUED}
    error = Bill.objects.get(name="copy.csv").error
    assert error == f"Its content was received before, as first.csv on {now:%Y-%m-%d}."


def test_what_is_no_bill_is_turned_away_once_with_a_reason(folder, now):
    lay(folder, b"hello\n", "notes.csv", at=now - timedelta(minutes=2))
    for _ in range(2):
        bills_tasks.watch_folder(now)
    (bill,) = Bill.objects.all()
    assert (bill.state, bill.digest, bill.name) == (JobState.FAILED, "", "notes.csv")
    assert "not a CSV header" in bill.error
    assert AuditEvent.objects.filter(kind="bill.turned_away").count() == 1


def test_a_changed_file_is_another(folder, now):
    lay(folder, csv_bytes(), "september.csv", at=now - timedelta(minutes=2))
    bills_tasks.watch_folder(now)
    lay(folder, csv_bytes([{"a": "1", "b": "2"}]), "september.csv", at=now - timedelta(minutes=1))
    bills_tasks.watch_folder(now)
    assert Bill.objects.count() == 2


def test_many_files_are_received_a_share_at_a_time_and_looked_up_at_once(
    folder, now, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(bills_tasks, "RECEIVED_AT_ONCE", 2)
    for number in range(3):
        lay(folder, csv_bytes([{"a": str(number), "b": "2"}]), f"{number}.csv", at=now - timedelta(minutes=2))
    assert bills_tasks.watch_folder(now)
    assert not bills_tasks.watch_folder(now)
    assert sorted(Bill.objects.values_list("name", flat=True)) == ["0.csv", "1.csv", "2.csv"]
    with django_assert_num_queries(1):
        assert not bills_tasks.watch_folder(now)


def test_without_a_folder_nothing_is_watched(now):
    bills_tasks.watch_folder(now)
    assert Bill.objects.count() == 0


def test_the_tick_wakes_for_bills_and_declares_dead(send, now, monkeypatch):
    bill, woken = send(csv_bytes()), []
    monkeypatch.setattr(jobs, "announce", lambda model, task, now, among: woken.append((model, task)))
    Bill.objects.filter(pk=bill.pk).update(attempts=3)
    jobs.tick(kind=kind_of(Bill), now=now)
    assert woken == [(Bill, "governance.bills.tasks.ingest_bill")]
    assert Bill.objects.get(pk=bill.pk).state == JobState.DEAD


def test_the_command_receives_a_file(tmp_path, capsys):
    path = written(tmp_path, csv_bytes())
    call_command("read_bill", str(path))
    bill = Bill.objects.get()
    assert (bill.origin, bill.state, bill.refuses_existing) == ("command", JobState.QUEUED, False)
    assert capsys.readouterr().out == f"{bill} is queued: see /bills/{bill.pk}/ for its progress and report.\n"
    assert AuditEvent.objects.get(kind="bill.received").source == "command"


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (None, [], "The file"),
        (b"hello\n", [], "not a CSV header"),
        (csv_bytes(), ["--kind", "slurm"], "Give the name of the cluster"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path, content, options, reason):
    path = tmp_path / "bill.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=reason):
        call_command("read_bill", str(path), *options)
    assert Bill.objects.count() == 0
