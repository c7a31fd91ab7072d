"""The audit trail: append-only by the database, chained so that every change shows, and unbroken under many writers."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction

from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from governance.audit.domain.chain import GENESIS
from governance.audit.models import AuditEvent
from governance.audit.queries.trail import described, first_broken
from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from tests.threads import together
from weighbridge.core.errors import Invalid

NOW = datetime(2026, 10, 5, 12, 30, 0, 123456, tzinfo=UTC)
CHANGED, MISSING = "does not match its own hash", "does not match the hash of the row before it"


def record(number: int = 1, **changes: object) -> AuditEvent:
    fields = {
        "kind": "test.event",
        "by": None,
        "subject": ("thing", f"t{number}"),
        "reason": "Because.",
        "now": NOW,
        "details": {"number": number, "share": 0.25, "names": ["å", "\n", '"']},
    } | changes
    with transaction.atomic():
        return audit.record(**fields)  # type: ignore[arg-type]


def run_sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tamper(*statements: str) -> None:
    """What somebody with the keys of the database could do."""
    run_sql("ALTER TABLE audit_auditevent DISABLE TRIGGER append_only", *statements)
    run_sql("ALTER TABLE audit_auditevent ENABLE TRIGGER append_only")


@pytest.fixture
def trail(db: None) -> list[AuditEvent]:
    with audit.origin("web"), trace.correlated(request_id="0123456789abcdef"):
        return [record(number) for number in range(1, 6)]


@pytest.fixture
def booked(db: None) -> LedgerEntry:
    center = CostCenter.objects.create(level="organization", slug="s", name="S")
    account = BudgetAccount.objects.create(center=center, quarter="2026Q4", unit="USD")
    return LedgerEntry.objects.create(account=account, kind="allocate", amount=1, key="k", booked_at=NOW)


@pytest.mark.parametrize("table", ["audit_auditevent", "budgets_ledgerentry"])
@pytest.mark.parametrize(
    ("word", "statement"),
    [
        ("UPDATE", "UPDATE {} SET id = id + 1000"),
        ("DELETE", "DELETE FROM {}"),
        ("TRUNCATE", "TRUNCATE {}"),
    ],
)
def test_the_database_refuses_to_change_what_was_written(
    trail: list[AuditEvent], booked: LedgerEntry, table: str, word: str, statement: str
) -> None:
    before = (list(AuditEvent.objects.values_list()), list(LedgerEntry.objects.values_list()))
    run_sql("SET CONSTRAINTS ALL IMMEDIATE", "SET LOCAL weighbridge.maintenance = 'off'")
    with (
        pytest.raises(DatabaseError, match=f"rows of {table} are append-only: {word} is refused"),
        transaction.atomic(),
    ):
        run_sql(statement.format(table))
    assert (list(AuditEvent.objects.values_list()), list(LedgerEntry.objects.values_list())) == before


def test_only_the_word_on_opens_the_door_for_maintenance(trail: list[AuditEvent]) -> None:
    for setting in ("off", "", "true", "ON"):
        run_sql(f"SET LOCAL weighbridge.maintenance = '{setting}'")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            run_sql("TRUNCATE audit_auditevent")
    run_sql("SET LOCAL weighbridge.maintenance = 'on'", "TRUNCATE audit_auditevent")
    assert not AuditEvent.objects.exists()


def test_models_cannot_change_an_event_either(trail: list[AuditEvent]) -> None:
    for change in (trail[0].save, trail[0].delete, AuditEvent.objects.all().delete):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            change()
    assert first_broken() is None


def test_each_event_follows_the_one_before(trail: list[AuditEvent]) -> None:
    assert [event.position for event in trail] == [1, 2, 3, 4, 5]
    assert trail[0].previous_hash == GENESIS == "sha256:" + "0" * 64
    assert [event.previous_hash for event in trail[1:]] == [event.hash for event in trail[:-1]]
    assert first_broken() is None


def test_the_hash_is_what_somebody_else_would_compute(trail: list[AuditEvent]) -> None:
    told = {
        "position": 1,
        "kind": "test.event",
        "actor_id": "",
        "actor": "system",
        "source": "web",
        "subject_type": "thing",
        "subject": "t1",
        "details": {"number": 1, "share": 0.25, "names": ["å", "\n", '"']},
        "reason": "Because.",
        "request_id": "0123456789abcdef",
        "at": "2026-10-05T12:30:00.123456+00:00",
    }
    spelled = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    content = b"weighbridge.audit/1\n" + GENESIS.encode() + b"\n" + spelled
    assert trail[0].hash == "sha256:" + hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("change", "position", "reason"),
    [
        ("kind = 'test.evenT'", 3, CHANGED),
        ("at = at + interval '1 microsecond'", 3, CHANGED),
        ("actor_id = '1'", 3, CHANGED),
        ("actor = 'System'", 3, CHANGED),
        ("source = 'api'", 3, CHANGED),
        ("subject_type = 'thinG'", 3, CHANGED),
        ("subject = 't4'", 3, CHANGED),
        ("details = jsonb_set(details, '{number}', '4')", 3, CHANGED),
        ("details = jsonb_set(details, '{share}', '0.250001')", 3, CHANGED),
        ("details = jsonb_set(details, '{names}', '[]')", 3, CHANGED),
        ("details = details || '{\"more\": null}'", 3, CHANGED),
        ("details = details - 'number'", 3, CHANGED),
        ("reason = 'Because'", 3, CHANGED),
        ("request_id = '0123456789abcdee'", 3, CHANGED),
        ("previous_hash = 'sha256:' || repeat('1', 64)", 3, MISSING),
        ("hash = 'sha256:' || repeat('1', 64)", 3, CHANGED),
        ("position = 99", 4, MISSING),
    ],
)
def test_every_changed_field_is_found_and_named(
    trail: list[AuditEvent], change: str, position: int, reason: str
) -> None:
    tamper(f"UPDATE audit_auditevent SET {change} WHERE position = 3")
    broken = first_broken()
    assert broken is not None
    assert broken[0] == position
    assert broken[1].startswith(reason)


def test_no_column_is_left_out_of_the_hash(trail: list[AuditEvent]) -> None:
    columns = {field.column for field in AuditEvent._meta.get_fields()}
    assert columns - {"id", "hash", "previous_hash"} == set(described(trail[0]))


@pytest.mark.parametrize(
    ("statements", "broken"),
    [
        (["DELETE FROM audit_auditevent WHERE position = 3"], (4, MISSING)),
        (["DELETE FROM audit_auditevent WHERE position = 1"], (2, MISSING)),
        (
            [
                "UPDATE audit_auditevent SET position = 100 WHERE position = 2",
                "UPDATE audit_auditevent SET position = 2 WHERE position = 3",
                "UPDATE audit_auditevent SET position = 3 WHERE position = 100",
            ],
            (2, MISSING),
        ),
    ],
)
def test_a_row_taken_or_moved_is_found(trail: list[AuditEvent], statements: list[str], broken: tuple[int, str]) -> None:
    tamper(*statements)
    found = first_broken()
    assert found is not None
    assert (found[0], found[1][: len(broken[1])]) == broken


def test_a_change_with_its_hash_recomputed_breaks_the_row_after_it(trail: list[AuditEvent]) -> None:
    forged = AuditEvent.objects.get(position=3)
    forged.subject = "somebody else's"
    digest = audit.chain.link(forged.previous_hash, described(forged))
    tamper(
        f"UPDATE audit_auditevent SET subject = 'somebody else''s', hash = '{digest}' WHERE position = 3",
    )
    found = first_broken()
    assert found is not None
    assert (found[0], found[1][: len(MISSING)]) == (4, MISSING)


def test_a_row_added_by_hand_is_found(trail: list[AuditEvent]) -> None:
    fields = {field.attname: getattr(trail[4], field.attname) for field in AuditEvent._meta.concrete_fields}
    forged = AuditEvent(
        **fields | {"id": None, "position": 6, "previous_hash": trail[4].hash, "hash": "sha256:" + "f" * 64}
    )
    forged.save()
    found = first_broken()
    assert found is not None
    assert (found[0], found[1][: len(CHANGED)]) == (6, CHANGED)


def test_a_trail_of_nothing_is_whole(db: None) -> None:
    assert first_broken() is None


def test_a_rolled_back_change_leaves_no_event(trail: list[AuditEvent]) -> None:
    @transaction.atomic
    def fails() -> None:
        record(6)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert AuditEvent.objects.count() == 5
    assert record(6).position == 6
    assert first_broken() is None


def test_the_door_is_told_and_forgotten(db: None) -> None:
    with audit.origin("web"), trace.correlated(request_id="r1"):
        outer = record(1)
        with audit.origin("command"):
            inner = record(2)
        again = record(3)
    with pytest.raises(ZeroDivisionError), audit.origin("api"):
        raise ZeroDivisionError
    after = record(4)
    doors = [(event.source, event.request_id) for event in (outer, inner, again, after)]
    assert doors == [("web", "r1"), ("command", "r1"), ("web", "r1"), ("job", "")]


def test_a_time_of_another_zone_is_kept_as_the_database_tells_it(db: None) -> None:
    event = record(now=NOW.astimezone(timezone(timedelta(hours=5, minutes=30))))
    event.refresh_from_db()
    assert event.at.isoformat() == "2026-10-05T12:30:00.123456+00:00"
    assert first_broken() is None


@pytest.mark.parametrize(
    ("first", "last", "actor"),
    [("", "", "ada"), ("Ada", "Lovelace", "Ada Lovelace"), ("A" * 150, "B" * 150, "A" * 150 + " " + "B" * 9)],
)
def test_the_actor_is_named_as_people_know_them(db: None, first: str, last: str, actor: str) -> None:
    user = User.objects.create_user("ada", first_name=first, last_name=last)
    event = record(by=user)
    assert (event.actor_id, event.actor) == (str(user.pk), actor)
    assert first_broken() is None


def test_details_that_cannot_be_hashed_are_refused(db: None) -> None:
    for details in ({"x": float("nan")}, {"x": object()}, {"x": "\ud800"}):
        with pytest.raises(Invalid):
            record(details=details)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_outside_a_transaction_is_refused() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="inside the transaction"):
        audit.record(kind="test.event", by=None, subject=("thing", "t"), now=NOW)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_writers_make_one_unbroken_chain() -> None:
    def writer(name: int) -> int:
        for number in range(25):
            record(number, subject=("thing", f"{name}:{number}"))
        return 25

    assert together([partial(writer, name) for name in range(8)]) == [25] * 8
    positions = list(AuditEvent.objects.order_by("position").values_list("position", flat=True))
    assert positions == list(range(1, 201))
    assert first_broken() is None
    for name in range(8):
        own = AuditEvent.objects.filter(subject__startswith=f"{name}:").order_by("position")
        assert list(own.values_list("subject", flat=True)) == [f"{name}:{number}" for number in range(25)]
