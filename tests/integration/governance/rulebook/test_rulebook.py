"""The rulebook: drafts become immutable versions, published by a second person, one of a name at a time."""

from datetime import datetime

import pytest
import yaml
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction

from governance.audit.models import AuditEvent
from governance.people.approvals import actions as approvals
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from tests.factories.changes import propose, publish
from tests.factories.people import Cast
from tests.threads import in_the_middle
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

POLICY, CHECKLIST = defaults.text_of(defaults.POLICY), defaults.text_of(defaults.CHECKLIST)
STRICTER = POLICY.replace("limit: 200", "limit: 100")


def states(name: str = "default") -> list[tuple[int, str]]:
    return list(PolicyVersion.objects.filter(name=name).order_by("number").values_list("number", "state"))


def drafted(by: User | None, now: datetime, source: str = POLICY) -> PolicyVersion:
    return rulebook.draft_policy(source=source, by=by, now=now)


def test_a_draft_keeps_its_source_and_digest(cast: Cast, now: datetime) -> None:
    version = drafted(cast.approver, now)
    assert (version.name, version.number, version.state, version.source) == ("default", 1, "draft", POLICY)
    assert (version.written_by, version.written_at, version.published_at) == (cast.approver, now, None)
    event = AuditEvent.objects.latest("position")
    assert (event.kind, event.subject_type, event.subject) == ("policy.drafted", "policy", "default v1")
    assert event.details == {"digest": version.digest}
    assert version.digest == digest_of(yaml.safe_load(POLICY))
    assert drafted(cast.admin, now, STRICTER).number == 2


def test_the_digest_is_of_the_meaning_not_of_the_spelling(cast: Cast, now: datetime) -> None:
    first = drafted(cast.approver, now)
    assert drafted(cast.approver, now, "# A remark.\n" + POLICY).digest == first.digest
    assert drafted(cast.approver, now, STRICTER).digest != first.digest


def test_a_checklist_goes_the_same_way(cast: Cast, now: datetime) -> None:
    version = rulebook.draft_checklist(source=CHECKLIST, by=cast.approver, now=now)
    publish(version=version, cast=cast, now=now)
    kinds = AuditEvent.objects.filter(subject="standard v1").order_by("position").values_list("kind", flat=True)
    assert list(kinds) == ["checklist.drafted", "checklist.published"]
    assert ChecklistVersion.objects.get().state == "published"


def test_publishing_retires_the_version_before(cast: Cast, now: datetime) -> None:
    for source in (POLICY, STRICTER):
        version = publish(version=drafted(cast.approver, now, source), cast=cast, now=now)
    assert states() == [(1, "retired"), (2, "published")]
    assert (version.published_by, version.published_at) == (cast.admin, now)
    other = drafted(cast.approver, now, POLICY.replace("name: default", "name: other\nprecedence: 1"))
    publish(version=other, cast=cast, now=now)
    assert states() == [(1, "retired"), (2, "published")]
    assert states("other") == [(1, "published")]


def test_only_a_draft_is_published(cast: Cast, now: datetime) -> None:
    first = publish(version=drafted(cast.approver, now), cast=cast, now=now)
    with pytest.raises(WrongState, match=r"default v1 is published; only a draft can be published\."):
        publish(version=first, cast=cast, now=now)
    publish(version=drafted(cast.approver, now, STRICTER), cast=cast, now=now)
    before = AuditEvent.objects.count()
    with pytest.raises(WrongState, match=r"default v1 is retired; only a draft can be published\."):
        publish(version=first, cast=cast, now=now)
    assert states() == [(1, "retired"), (2, "published")]
    assert AuditEvent.objects.count() == before


def test_two_people_make_a_policy(cast: Cast, now: datetime) -> None:
    own, others = drafted(cast.admin, now), drafted(cast.approver, now, STRICTER)
    with pytest.raises(NotAllowed, match="Authors cannot publish their own policies"):
        rulebook.publish(version=own, by=cast.admin, now=now)
    with pytest.raises(DatabaseError, match="published by two people"), transaction.atomic():
        rulebook.publish(version=others, by=cast.admin, now=now)
    assert states() == [(1, "draft"), (2, "draft")]
    publish(version=others, cast=cast, now=now)
    assert states() == [(1, "draft"), (2, "published")]


@pytest.mark.parametrize("table", ["policy", "checklist"])
def test_the_database_lets_nobody_publish_alone(cast: Cast, now: datetime, table: str) -> None:
    write = rulebook.draft_checklist if table == "checklist" else rulebook.draft_policy
    own = write(source=CHECKLIST if table == "checklist" else POLICY, by=cast.approver, now=now)
    publishing = f"UPDATE rulebook_{table}version SET state = 'published', published_at = now(), published_by_id ="
    for person in (cast.admin, cast.finance):
        with pytest.raises(DatabaseError, match="published by two people"), transaction.atomic():
            run_sql(f"{publishing} {person.pk}")
    change = propose(version=own, by=cast.approver, now=now)
    approvals.refuse(change=change, reason="Not this quarter.", by=cast.admin, now=now)
    with pytest.raises(DatabaseError, match="published by two people"), transaction.atomic():
        run_sql(f"{publishing} {cast.admin.pk}")
    with pytest.raises(IntegrityError, match=f"{table}version_author_does_not_publish"), transaction.atomic():
        run_sql(
            "SET CONSTRAINTS ALL IMMEDIATE",
            f"ALTER TABLE rulebook_{table}version DISABLE TRIGGER two_people",
            f"{publishing} {cast.approver.pk}",
        )
    own.refresh_from_db()
    assert (own.state, own.published_by) == ("draft", None)


def test_the_database_lets_nobody_write_what_is_published_already(cast: Cast, now: datetime) -> None:
    fields = {"name": "sly", "number": 1, "source": "", "digest": "", "written_at": now, "published_at": now}
    with pytest.raises(DatabaseError, match="published by two people"), transaction.atomic():
        PolicyVersion.objects.create(**fields, state="published", published_by=cast.admin)


def test_who_may_write_and_publish(cast: Cast, now: datetime) -> None:
    writers = {cast.approver, cast.admin}
    version = drafted(cast.approver, now)
    for person in cast.everybody():
        before = AuditEvent.objects.count()
        if person not in writers:
            with pytest.raises(NotAllowed, match="may write a policy"):
                drafted(person, now)
            with pytest.raises(NotAllowed, match="may write a policy"):
                rulebook.draft_checklist(source=CHECKLIST, by=person, now=now)
        if person != cast.admin:
            with pytest.raises(NotAllowed, match="may publish a policy"):
                rulebook.publish(version=version, by=person, now=now)
        assert AuditEvent.objects.count() == before
    assert states() == [(1, "draft")]


@pytest.mark.parametrize(
    ("source", "field", "words"),
    [
        ("a: [", "source", "not valid YAML"),
        ("- a\n- b", "source", "must be a mapping with apiVersion and kind"),
        ("", "source", "must be a mapping"),
        ("x: !!python/object/apply:os.system ['true']", "source", "it uses a tag; leave it out (line 1)"),
        ("x: 2026-13-01", "source", "The document is not valid YAML: month must be in 1..12"),
        ("[" * 5_000, "source", "exceeded maximum nesting depth"),
        ("#" * 200_001, "source", "longer than 200,000 characters"),
        (CHECKLIST, "kind", "kind must be ReviewPolicy"),
        (POLICY.replace("limit: 200", "limit: many"), "rules[0].limit", "must be a number"),
        (
            POLICY.replace("metric: latency_p95_ms", "metric: latency_p96_ms"),
            "rules[3].metric",
            "is not a metric of the catalog",
        ),
        (POLICY.replace("  - id: technical", "  - idd: technical"), "stages[0].id", "is missing"),
        (POLICY.replace("separation_of_duties: true", "separation_of_duties: false"), "separation_of_duties", "true"),
        (POLICY + "\nlimitt: 3\n", "limitt", "is unknown"),
        (POLICY.replace("limit: 200", 'limit: "\\0"'), "source", "a character that cannot be stored"),
        (POLICY.replace("name: default", "name: 'a/b'"), "source", "letters, digits, hyphens and underscores"),
        (POLICY.replace("name: default", f"name: {'x' * 61}"), "source", "write 1 to 60 letters"),
        (POLICY.replace("quorum: 2", f"quorum: {10**30}"), "stages[0].quorum", "must be at most 100"),
    ],
)
def test_a_fault_is_named_with_its_place(cast: Cast, now: datetime, source: str, field: str, words: str) -> None:
    before = AuditEvent.objects.count()
    with pytest.raises(Invalid) as refusal:
        drafted(cast.approver, now, source)
    assert refusal.value.field == field
    assert words in refusal.value.reason
    assert (PolicyVersion.objects.count(), AuditEvent.objects.count()) == (0, before)


def test_a_document_of_exactly_the_limit_is_read(cast: Cast, now: datetime) -> None:
    source = POLICY + "#" * (rulebook.SOURCE_CHARS_MAX - len(POLICY))
    assert drafted(cast.approver, now, source).number == 1
    with pytest.raises(Invalid, match="longer"):
        drafted(cast.approver, now, source + "#")


COLUMNS = [
    "name = 'other'",
    "number = 7",
    "source = source || ' '",
    "digest = 'sha256:' || repeat('0', 64)",
    "written_at = written_at + interval '1 second'",
    "written_by_id = NULL",
]
PUBLISHED_COLUMNS = [
    "state = 'draft', published_at = NULL",
    "published_at = published_at + interval '1 second'",
    "published_by_id = NULL",
    "state = 'retired', published_by_id = NULL",
    "state = 'retired', published_at = published_at + interval '1 second'",
    "state = 'retired', source = source || ' '",
]


def run_sql(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def refused(statement: str) -> None:
    with pytest.raises(DatabaseError, match="never changes: write a new one"), transaction.atomic():
        run_sql(statement)


@pytest.mark.parametrize("change", [*COLUMNS, *PUBLISHED_COLUMNS])
@pytest.mark.parametrize("table", ["policy", "checklist"])
def test_a_published_version_never_changes(cast: Cast, now: datetime, table: str, change: str) -> None:
    checklist = rulebook.draft_checklist(source=CHECKLIST, by=cast.approver, now=now)
    publish(version=checklist, cast=cast, now=now)
    publish(version=drafted(cast.approver, now), cast=cast, now=now)
    before = (list(PolicyVersion.objects.values_list()), list(ChecklistVersion.objects.values_list()))
    refused(f"UPDATE rulebook_{table}version SET {change}")
    refused(f"DELETE FROM rulebook_{table}version")
    assert (list(PolicyVersion.objects.values_list()), list(ChecklistVersion.objects.values_list())) == before


@pytest.mark.parametrize("change", ["state = 'published'", *COLUMNS, "published_by_id = NULL"])
def test_a_retired_version_never_changes_nor_comes_back(cast: Cast, now: datetime, change: str) -> None:
    for source in (POLICY, STRICTER):
        publish(version=drafted(cast.approver, now, source), cast=cast, now=now)
    refused(f"UPDATE rulebook_policyversion SET {change} WHERE number = 1")
    refused("DELETE FROM rulebook_policyversion WHERE number = 1")


@pytest.mark.parametrize("change", COLUMNS)
def test_a_draft_keeps_what_was_written_and_who_wrote_it(cast: Cast, now: datetime, change: str) -> None:
    drafted(cast.approver, now)
    refused(f"UPDATE rulebook_policyversion SET {change}")


def test_a_draft_can_be_thrown_away(cast: Cast, now: datetime) -> None:
    drafted(cast.approver, now).delete()
    assert not PolicyVersion.objects.exists()


@pytest.mark.parametrize("table", ["policy", "checklist"])
def test_the_rulebook_is_never_emptied(db: None, table: str) -> None:
    run_sql("SET LOCAL weighbridge.maintenance = 'off'")
    with pytest.raises(DatabaseError, match="TRUNCATE is refused"), transaction.atomic():
        run_sql(f"TRUNCATE rulebook_{table}version CASCADE")


def test_the_database_knows_one_published_version_of_a_name(cast: Cast, now: datetime) -> None:
    publish(version=drafted(cast.approver, now), cast=cast, now=now)
    second = drafted(cast.approver, now, STRICTER)
    second.state, second.published_at = "published", now
    with pytest.raises(IntegrityError, match="one_published_policyversion"), transaction.atomic():
        second.save()
    second.published_at = None
    with pytest.raises(IntegrityError, match="published_has_a_time"), transaction.atomic():
        second.save()
    with pytest.raises(IntegrityError, match="one_policyversion_number"), transaction.atomic():
        PolicyVersion.objects.create(name="default", number=2, source="", digest="", written_at=now)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_the_second_is_told(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    before_the_commit = (rulebook, "_record")
    first, second = in_the_middle(
        monkeypatch, before_the_commit, lambda: drafted(None, now), lambda: drafted(None, now, STRICTER)
    )
    assert isinstance(first, PolicyVersion)
    assert isinstance(second, WrongState)
    assert second.reason == "Another person has just saved default v1. Check it, then save yours again."
    assert list(PolicyVersion.objects.values_list("number", "source")) == [(1, POLICY)]
    assert AuditEvent.objects.count() == 1
