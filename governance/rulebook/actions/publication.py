"""Publishing a policy or a checklist takes two people, except for an operator on the server."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User

from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import binding, register
from governance.people.approvals.models import Change
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.models import Document
from governance.rulebook.queries.rulebook import check_draft, version_of
from governance.rulebook.rules import check_propose_publication


def propose_publication(*, version: Document, reason: str, by: User, now: datetime) -> Change:
    """Propose the publication of a draft. A person who may publish it, and neither wrote nor proposed it, confirms."""
    kind = Changed(type(version).__name__.removesuffix("Version").lower())
    description, details = f"Publish the {kind.label.lower()} {version}", {"version": str(version)}
    change = Change(
        kind=kind, subject_id=version.pk, description=description, gains=version.written_by, details=details
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _publish(change: Change, by: User, now: datetime) -> None:
    version: Any = version_of(change)
    rulebook.publish(version=version, by=by, now=now)


for _name in (Changed.POLICY, Changed.CHECKLIST):
    register(
        binding(
            name=_name,
            may_propose=lambda person, _: check_propose_publication(person),
            check=lambda change: check_draft(version_of(change)),
            apply=_publish,
        )
    )
