"""Writes of the rulebook: drafting and publishing policies, checklists and the metric catalog."""

import re
from datetime import datetime
from typing import Any, TypeVar

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max

from governance.audit.actions import record as audit
from governance.people.actions.people import ALONE
from governance.people.queries.people import person_of
from governance.rulebook.enums import DocumentState
from governance.rulebook.models import CatalogVersion, ChecklistVersion, PolicyVersion
from governance.rulebook.queries.rulebook import check_retirable, kind_of
from governance.rulebook.rules import check_publish_rulebook, check_write_rulebook
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.core.parsing.yaml_text import parse_yaml

SOURCE_CHARS_MAX = 200_000
NAME, NAME_RULE = re.compile(r"[-a-zA-Z0-9_]{1,60}"), "write 1 to 60 letters, digits, hyphens and underscores."
Version = TypeVar("Version", PolicyVersion, ChecklistVersion, CatalogVersion)


def draft_policy(*, source: str, by: User | None, now: datetime) -> PolicyVersion:
    """Store a valid policy as the next draft of its name; `by` None is the system."""
    return _drafted(PolicyVersion, source, by, now)


def draft_checklist(*, source: str, by: User | None, now: datetime) -> ChecklistVersion:
    """Store a valid checklist as the next draft of its name."""
    return _drafted(ChecklistVersion, source, by, now)


def draft_catalog(*, source: str, by: User | None, now: datetime) -> CatalogVersion:
    """Store a metric catalog, in which no metric of the one in force changes its meaning, as the next draft."""
    return _drafted(CatalogVersion, source, by, now)


def publish(*, version: Version, by: User | None, now: datetime) -> Version:
    """Publish a draft and retire the previous version; `by` None is the system.

    For a person, this is part of a change that they have just confirmed; the database refuses it otherwise.
    """
    if by is not None:
        check_publish_rulebook(person_of(by), written_by_id=version.written_by_id)
    kind = type(version)
    with transaction.atomic():
        siblings = {row.pk: row for row in kind.objects.select_for_update().filter(name=version.name).order_by("pk")}
        draft = siblings[version.pk]
        if draft.state != DocumentState.DRAFT:
            raise WrongState(f"{draft} is {draft.state}; only a draft can be published.")
        for row in siblings.values():
            if row.state == DocumentState.PUBLISHED:
                row.state = DocumentState.RETIRED
                row.save(update_fields=["state"])
        draft.state, draft.published_by, draft.published_at = DocumentState.PUBLISHED, by, now
        draft.save(update_fields=["state", "published_by", "published_at"])
        _record("published", draft, by, now)
    return draft


def retire(*, version: PolicyVersion, by: User, now: datetime) -> PolicyVersion:
    """Take a policy out of force without a successor. Requests that were submitted under it keep it.

    This is part of a change that the person has just confirmed; the database refuses it otherwise.
    """
    check_publish_rulebook(person_of(by), written_by_id=None)
    with transaction.atomic():
        in_force = PolicyVersion.objects.select_for_update().filter(state=DocumentState.PUBLISHED).order_by("pk")
        row = next((each for each in in_force if each.pk == version.pk), version)
        check_retirable(row)
        row.state = DocumentState.RETIRED
        row.save(update_fields=["state"])
        _record("retired", row, by, now)
    return row


def _drafted(table: type[Version], source: str, by: User | None, now: datetime) -> Version:
    if by is not None:
        check_write_rulebook(person_of(by))
    document, kind = _read(source), kind_of(table.plural)
    parsed = kind.parse(document)
    kind.check(parsed)
    return _draft(table(name=document["name"]), document, source, by, now)


def _draft(row: Version, document: dict[str, Any], source: str, by: User | None, now: datetime) -> Version:
    if not NAME.fullmatch(row.name):
        raise Invalid(f"The name {row.name!r} is not valid: {NAME_RULE}", field="source")
    with transaction.atomic():
        last = type(row).objects.filter(name=row.name).aggregate(last=Max("number"))["last"] or 0
        row.number, row.source, row.digest = last + 1, source, digest_of(document)
        row.written_by, row.written_at = by, now
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:
            raise WrongState(f"Another person has just saved {row}. Check it, then save yours again.") from error
        _record("drafted", row, by, now)
    return row


def _record(step: str, row: Version, by: User | None, now: datetime) -> None:
    details, reason = {"digest": row.digest}, "" if by else ALONE
    subject = (row.word, str(row))
    audit.record(kind=f"{row.word}.{step}", by=by, subject=subject, details=details, reason=reason, now=now)


def _read(source: str) -> dict[str, Any]:
    if len(source) > SOURCE_CHARS_MAX:
        raise Invalid(f"The document is longer than {SOURCE_CHARS_MAX:,} characters.", field="source")
    document = parse_yaml(source, field="source")
    if not isinstance(document, dict):
        raise Invalid("The document must be a mapping with apiVersion and kind.", field="source")
    return document
