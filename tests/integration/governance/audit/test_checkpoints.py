"""Checkpoints find what the chain alone cannot: a trail cut short, rewritten whole, or robbed of its checkpoints."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction
from pytest_django import Settings

from governance.audit.actions import checkpoints as writes
from governance.audit.actions import record as audit
from governance.audit.domain import checkpoint
from governance.audit.domain.chain import link
from governance.audit.models import AuditEvent, Checkpoint
from governance.audit.queries import checkpoints
from governance.audit.queries.keys import public_key
from governance.audit.queries.trail import described, first_broken
from governance.jobs import ticks
from governance.operations import tasks as operations_tasks
from weighbridge.core import attestation
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db


def happen(now: datetime, count: int = 1) -> None:
    with transaction.atomic():
        for number in range(count):
            audit.record(kind="test.event", by=None, subject=("thing", str(number)), now=now)


def run_sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tamper(*statements: str) -> None:
    """What somebody with the keys of the database could do."""
    for word in ("DISABLE", "ENABLE"):
        run_sql(*(f"ALTER TABLE audit_{table} {word} TRIGGER append_only" for table in ("auditevent", "checkpoint")))
        run_sql(*(statements if word == "DISABLE" else ()))


def verify(*words: str) -> tuple[int, list[str]]:
    """The exit status of `audit verify` and what it said."""
    said = io.StringIO()
    try:
        call_command("audit", "verify", *words, stdout=said, stderr=said, no_color=True)
    except SystemExit as leaving:
        return int(str(leaving.code)), said.getvalue().splitlines()
    return 0, said.getvalue().splitlines()


@pytest.fixture
def kept(now: datetime) -> list[Checkpoint]:
    """Two checkpoints, after the events 4 and 8; two events follow."""
    rows = []
    for day in range(2):
        happen(now + timedelta(days=day), 3)
        rows.append(writes.sign_head(now=now + timedelta(days=day)))
    happen(now, 2)
    assert [row.count for row in rows if row] == [4, 8]
    return [row for row in rows if row]


def test_a_checkpoint_names_the_head_and_announces_itself(now: datetime) -> None:
    happen(now, 3)
    row = writes.sign_head(now=now)
    head = AuditEvent.objects.latest("position")
    assert row is not None
    assert (row.count, row.head, row.at) == (4, head.hash, now)
    key_id = attestation.key_id(public_key())
    told = {"key": key_id, "second_factor_required": False, "identity_provider": ""}
    assert (head.kind, head.details, row.key_id) == ("audit.checkpointed", told, key_id)
    checkpoint.verify(checkpoints.signed_of(row), public_key_pem=public_key())
    assert checkpoints.contradictions(public_keys=[public_key()]) == []


def test_it_tells_which_settings_bind_people_at_that_moment(now: datetime, settings: Settings) -> None:
    happen(now)
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"REQUIRE_MFA": True}
    settings.OIDC_SERVER_URL = "https://somebody:secret@login.example.org/realm"
    writes.sign_head(now=now)
    told = AuditEvent.objects.latest("position").details
    assert (told["second_factor_required"], told["identity_provider"]) == (True, "login.example.org")
    assert first_broken() is None


def test_nothing_new_needs_no_new_checkpoint(now: datetime) -> None:
    assert writes.sign_head(now=now) is None
    happen(now)
    row = writes.sign_head(now=now)
    assert writes.sign_head(now=now + timedelta(days=9)) == row
    assert (Checkpoint.objects.count(), AuditEvent.objects.count()) == (1, 2)


def test_a_checkpoint_belongs_to_the_transaction_it_signs(now: datetime) -> None:
    with transaction.atomic():
        happen(now)
        assert writes.sign_head(now=now) is not None
        transaction.set_rollback(True)
    assert (Checkpoint.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_the_tick_keeps_one_a_day(now: datetime) -> None:
    happen(now)
    for hours, count in ((0, 1), (23, 1), (24, 2), (25, 2)):
        happen(now)
        ticks.tick(now=now + timedelta(hours=hours))
        assert Checkpoint.objects.count() == count, hours


def test_a_tick_without_the_key_goes_on_and_says_so(
    now: datetime, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": tmp_path / "nothing.pem"}
    happen(now)
    operations_tasks.sign_daily(now)
    assert "The daily checkpoint of the audit trail failed. There is no signing key" in caplog.text
    assert not Checkpoint.objects.exists()
    with pytest.raises(WrongState):
        writes.sign_head(now=now)
    assert AuditEvent.objects.count() == 1


def test_the_database_keeps_them(kept: list[Checkpoint]) -> None:
    for order in ("UPDATE audit_checkpoint SET count = count + 1", "DELETE FROM audit_checkpoint"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            run_sql(order)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run_sql("SET LOCAL weighbridge.maintenance = 'off'; TRUNCATE audit_checkpoint")
    with pytest.raises(IntegrityError, match="checkpoint_of_something"), transaction.atomic():
        Checkpoint.objects.create(count=0, head="", at=kept[0].at, key_id="", signature="")
    with pytest.raises(IntegrityError), transaction.atomic():
        Checkpoint.objects.create(count=4, head="", at=kept[0].at, key_id="", signature="")


def test_a_whole_trail_is_told_with_its_checkpoints(kept: list[Checkpoint]) -> None:
    head = AuditEvent.objects.latest("position")
    assert verify() == (0, [f"10 events, chain unbroken, head {head.hash}. Checkpoints: 2, none contradicted."])


@pytest.mark.parametrize(("left", "missing"), [(9, []), (8, []), (7, [8]), (4, [8]), (3, [4, 8]), (0, [4, 8])])
def test_a_trail_cut_at_its_end_is_found(kept: list[Checkpoint], left: int, missing: list[int]) -> None:
    """The chain holds all the same; what came after the last checkpoint is beyond its reach."""
    tamper(f"DELETE FROM audit_auditevent WHERE position > {left}")
    assert first_broken() is None
    status, said = verify()
    if not missing:
        assert status == 0
        return
    assert status == 1
    assert [line.split()[4] for line in said] == [str(each) for each in missing]
    assert all("names more events than the trail has" in line for line in said)


def test_a_trail_rewritten_from_some_event_on_is_found(kept: list[Checkpoint]) -> None:
    """Whoever can write the table can compute every hash anew; the signature they cannot."""
    rows = list(AuditEvent.objects.order_by("position"))
    orders, before = [], rows[4].hash
    for row in rows[5:]:
        row.reason = "Never happened."
        digest = link(before, described(row))
        orders.append(
            f"UPDATE audit_auditevent SET reason = 'Never happened.', previous_hash = '{before}', hash = "
            f"'{digest}' "
            f"WHERE position = {row.position}"
        )
        before = digest
    tamper(*orders)
    assert first_broken() is None
    status, said = verify()
    assert (status, len(said)) == (1, 1)
    assert said[0].startswith("The checkpoint after event 8 of ")
    assert said[0].endswith("does not match the trail: events were changed.")


def test_a_removed_checkpoint_is_missed(kept: list[Checkpoint]) -> None:
    tamper("DELETE FROM audit_checkpoint WHERE count = 8")
    assert verify() == (1, ["The checkpoint after event 8 was removed."])


@pytest.mark.parametrize(
    "change",
    ["count = 9", "head = 'sha256:' || repeat('1', 64)", "at = at + interval '1 microsecond'", "signature = '{0}'"],
)
def test_a_forged_checkpoint_is_found(kept: list[Checkpoint], change: str) -> None:
    other = checkpoint.sign(checkpoints.signed_of(kept[1]).checkpoint, private_key_pem=attestation.new_key_pem())
    tamper(f"UPDATE audit_checkpoint SET {change.format(other.signature)} WHERE count = 8")
    status, said = verify()
    assert status == 1
    assert "was not signed by the key that it names: it is forged or changed." in said[0]


def test_a_checkpoint_of_a_key_that_is_not_at_hand(
    kept: list[Checkpoint], now: datetime, settings: Settings, tmp_path: Path
) -> None:
    old, new = tmp_path / "old.pem", tmp_path / "new.pem"
    old.write_text(public_key())
    new.write_text(attestation.new_key_pem())
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": new}
    happen(now)
    writes.sign_head(now=now)
    status, said = verify()
    assert (status, len(said)) == (1, 2)
    assert all("is not available. Give its public key with --public-key." in line for line in said)
    assert verify("--public-key", str(old))[0] == 0


def printed(row: Checkpoint) -> str:
    return checkpoints.signed_of(row).text


def test_a_printed_checkpoint_is_verified_as_text_and_as_a_file(kept: list[Checkpoint], tmp_path: Path) -> None:
    text, file = printed(kept[0]), tmp_path / "checkpoint.txt"
    file.write_text("\n".join(text[at : at + 60] for at in range(0, len(text), 60)) + "\n")
    for given in (text, str(file)):
        status, said = verify("--checkpoint", given)
        assert (status, len(said)) == (0, 1)
        assert said[0].startswith("Genuine: after event 4 of ")
        assert f"the head was {kept[0].head}, and the trail still matches it. 10 events, chain unbroken" in said[0]


def test_what_lies_elsewhere_tells_what_nothing_here_can(kept: list[Checkpoint]) -> None:
    """Events and checkpoints cut together leave no trace in the database; the paper knows better."""
    paper = printed(kept[1])
    tamper("DELETE FROM audit_auditevent WHERE position > 7", "DELETE FROM audit_checkpoint WHERE count = 8")
    assert verify()[0] == 0
    status, said = verify("--checkpoint", paper)
    assert status == 1
    assert "names more events than the trail has: the last events were removed." in said[0]


def test_offline_the_signature_alone_is_verified(
    kept: list[Checkpoint], settings: Settings, tmp_path: Path, django_assert_num_queries: Callable[..., object]
) -> None:
    key, text = tmp_path / "public.pem", printed(kept[0])
    key.write_text(public_key())
    settings.WEIGHBRIDGE = settings.WEIGHBRIDGE | {"SIGNING_KEY": tmp_path / "nothing.pem"}
    with django_assert_num_queries(0):  # type: ignore[attr-defined]
        status, said = verify("--checkpoint", text, "--public-key", str(key), "--offline")
    assert (status, said[0].endswith("The trail was not checked.")) == (0, True)
    status, said = verify("--checkpoint", text, "--offline")
    assert (status, "Give its public key with --public-key" in said[0]) == (1, True)
    with pytest.raises(CommandError, match="No signature on this statement was made by the given key"):
        verify("--checkpoint", text.replace(";4;", ";5;"), "--public-key", str(key), "--offline")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--offline",), "Give the checkpoint to verify offline"),
        (("--checkpoint", "a checkpoint"), "not a checkpoint from a packet"),
        (("--checkpoint", "x" * 10_000), "not a checkpoint from a packet"),
        (("--public-key", "/nowhere.pem"), "The public key cannot be read"),
        (("--public-key", "{file}"), "not a public key in PEM form"),
        (("--checkpoint", "{bytes}"), "The file is not a text file."),
        (("--public-key", "{bytes}"), "The public key cannot be read"),
    ],
)
def test_what_cannot_be_verified_is_said(tmp_path: Path, words: tuple[str, ...], reason: str) -> None:
    (tmp_path / "file").write_text("no key")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    named = [word.format(file=tmp_path / "file", bytes=tmp_path / "bytes") for word in words]
    with pytest.raises(CommandError, match=reason):
        verify(*named)


def test_many_checkpoints_ask_the_database_as_often_as_one(
    now: datetime, django_assert_num_queries: Callable[..., object]
) -> None:
    for _ in range(3):
        happen(now)
        writes.sign_head(now=now)
        with django_assert_num_queries(3):  # type: ignore[attr-defined]
            assert checkpoints.contradictions(public_keys=[public_key()]) == []
