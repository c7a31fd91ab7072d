"""The owner of a model: named by the team, in force once the person named accepts."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.inventory.models import ModelAsset
from governance.inventory.queries import visible_to
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.kinds import ChangeKind, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person
from governance.people.rules import check_act_for_team, sees_everything
from weighbridge.core.errors import Invalid

REASON = "The team named this owner when it registered the model."


def name_owner(*, asset: ModelAsset, owner: User, by: User, now: datetime) -> Change | None:
    """Make `by` the owner at once, or propose somebody else, who must accept. None if nothing is proposed.

    The caller has locked the model and checked that `by` may act for its team.
    """
    if owner.pk == asset.owner_id:
        return None
    if owner.pk == by.pk:
        _set_owner(asset, owner, by, now)
        return None
    details = {"owner": owner.username, "before": asset.owner.username}
    description = f"Make {owner.get_full_name() or owner.username} the owner of {asset.name} ({asset.team.slug})"
    change = Change(kind=Changed.OWNER, subject_id=asset.pk, description=description[:400], details=details)
    waiting = Change.objects.filter(kind=Changed.OWNER, subject_id=asset.pk, state=ChangeState.PENDING).first()
    if waiting is not None and waiting.details == details:
        return waiting
    return approvals.propose(change=change, reason=REASON, by=by, now=now)


def _set_owner(asset: ModelAsset, owner: User, by: User, now: datetime) -> None:
    before, after = (
        {"name": asset.name, "tier": asset.tier, "task": asset.task, "owner": one.username}
        for one in (asset.owner, owner)
    )
    asset.owner = owner
    asset.save(update_fields=["owner"])
    subject = ("model", f"{asset.team.slug}/{asset.slug}")
    details = {"before": before, "after": after}
    audit.record(kind="model.registered", by=by, subject=subject, details=details, now=now)


def _asset(change: Change) -> ModelAsset:
    return ModelAsset.objects.select_related("team", "owner").get(pk=change.subject_id)


def _named(change: Change) -> User:
    return User.objects.get(username=change.details["owner"])


def _check(change: Change) -> None:
    if not _named(change).is_active:
        raise Invalid(f"The account {change.details['owner']} is closed; name another owner.", field="owner")


def _apply(change: Change, by: User, now: datetime) -> None:
    asset = ModelAsset.objects.select_for_update(of=("self",), no_key=True).select_related("team", "owner")
    _set_owner(asset.get(pk=change.subject_id), by, by, now)


def _visible(person: Person) -> Q:
    """Whoever sees the model sees who is to own it."""
    own = Q(details__owner=person.username) | Q(proposed_by_id=person.id)
    own |= Q(subject_id__in=visible_to(person).values("pk"))
    return Q() if sees_everything(person) else own


register(
    ChangeKind(
        name=Changed.OWNER,
        confirmers=(),
        confirmer=_named,
        may_propose=lambda person, change: check_act_for_team(person, team=_asset(change).team.slug),
        check=_check,
        apply=_apply,
        visible=_visible,
        team=lambda change: _asset(change).team.slug,
        noun="the ownership of a model",
        another="the person named as owner",
        done="accepted: you own the model now.",
        why_none="The person named as owner is no longer active. Withdraw it, and name another owner.",
    )
)
