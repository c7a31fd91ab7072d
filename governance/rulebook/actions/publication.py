"""Two people publish a policy, a checklist or a metric catalog, and retire a policy; an operator publishes alone."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.contrib.auth.models import User

from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import binding, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.queries.membership import team_slugs_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain.team_scopes import teams_treated_apart
from governance.rulebook.models import Document, PolicyVersion
from governance.rulebook.queries.rulebook import (
    check_publishable,
    check_retirable,
    policies_in_force,
    policies_with,
    policies_without,
    policy_in,
    version_of,
)
from governance.rulebook.rules import check_propose_publication
from weighbridge.core.errors import NotAllowed

DESCRIPTION_CHARS_MAX = 400


def propose_publication(
    *, version: Document, reason: str, by: User, now: datetime, more: Mapping[str, int] = MappingProxyType({})
) -> Change:
    """Propose the publication of a draft. A person who may publish it, and neither wrote nor proposed it, confirms.

    `more` are further details of the change.
    """
    kind = Changed(type(version).__name__.removesuffix("Version").lower())
    description, details = f"Publish the {kind.label.lower()} {version}", {"version": str(version), **more}
    change = Change(
        kind=kind, subject_id=version.pk, description=description, gains=version.written_by, details=details
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def propose_retirement(*, version: PolicyVersion, reason: str, by: User, now: datetime) -> Change:
    """Propose to take a policy out of force without a successor. Another person who may publish confirms."""
    scope = policy_in(version).applies_to.words
    change = Change(
        kind=Changed.POLICY_END,
        subject_id=version.pk,
        description=f"Retire the policy {version}, which applies to {scope}"[:DESCRIPTION_CHARS_MAX],
        details={"version": str(version)},
    )
    return approvals.propose(change=change, reason=reason, by=by, now=now)


def _publish(change: Change, by: User, now: datetime) -> None:
    version: Any = version_of(change)
    rulebook.publish(version=version, by=by, now=now)


def _retire(change: Change, by: User, now: datetime) -> None:
    rulebook.retire(version=_policy_of(change), by=by, now=now)


def _check_impartial(person: Person, change: Change) -> None:
    """The second person does not belong to a team whose rules the change alters in another way than those of others."""
    version = version_of(change)
    if not isinstance(version, PolicyVersion):
        return
    before, teams = policies_in_force(), Team.objects.values_list("slug", flat=True)
    if change.kind == Changed.POLICY_END:
        after = policies_without(before, name=version.name)
    else:
        after = policies_with(before, added=policy_in(version))
    apart = teams_treated_apart(before, after, teams=teams)
    own = sorted(apart & team_slugs_of(person, now=change.proposed_at)) if apart else []
    if own:
        text = f"You belong to a team whose rules this changes ({', '.join(own)}). Another must confirm it."
        raise NotAllowed(text, code="own_team")


def _policy_of(change: Change) -> PolicyVersion:
    return PolicyVersion.objects.get(pk=change.subject_id)


register(
    binding(
        name=Changed.POLICY_END,
        may_propose=lambda person, _: check_propose_publication(person),
        check=lambda change: check_retirable(_policy_of(change)),
        check_impartial=_check_impartial,
        apply=_retire,
    )
)
for _name in (Changed.POLICY, Changed.CHECKLIST, Changed.CATALOG):
    register(
        binding(
            name=_name,
            may_propose=lambda person, _: check_propose_publication(person),
            check=lambda change: check_publishable(version_of(change)),
            check_impartial=_check_impartial,
            apply=_publish,
        )
    )
