"""The tier and the task of a model: a stricter tier counts at once, a milder one or another task after a second person.

Policies are chosen by both, so that a person could otherwise choose by whom and how strictly a model is judged.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.inventory.domain.classification import Classification, at_once
from governance.inventory.models import ModelAsset
from governance.inventory.queries import visible_to
from governance.inventory.rules import check_outside_team
from governance.people.approvals import actions as approvals
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.kinds import ChangeKind, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.people.rules import check_act_for_team, sees_everything
from weighbridge.core.errors import WrongState

REASON = "The team gave this tier and task when it registered the model again."


def classified(*, asset: ModelAsset, wanted: Classification, by: User, now: datetime) -> Classification:
    """The classification that counts now. What needs a second person is proposed to the platform leads.

    A model without a version takes any classification, because nothing was judged by it. The caller has locked the
    model, checked that `by` may act for its team, and stores the answer.
    """
    present = Classification(asset.tier, asset.task)
    if not asset.versions.exists():
        return wanted
    immediate = at_once(present, wanted)
    if immediate != wanted:
        _propose(asset, immediate, wanted, by, now)
    return immediate


def _propose(asset: ModelAsset, before: Classification, after: Classification, by: User, now: datetime) -> None:
    details = {"before": vars(before), "after": vars(after)}
    pending = Change.objects.filter(kind=Changed.TIER_OR_TASK, subject_id=asset.pk, state=ChangeState.PENDING).first()
    if pending is not None and pending.details == details:
        return
    change = Change(
        kind=Changed.TIER_OR_TASK,
        subject_id=asset.pk,
        description=f"Classify {asset.name} ({asset.team.slug}) as {after.words} instead of {before.words}"[:400],
        details=details,
    )
    approvals.propose(change=change, reason=REASON, by=by, now=now)


def _asset(change: Change) -> ModelAsset:
    return ModelAsset.objects.select_related("team").get(pk=change.subject_id)


def _apply(change: Change, by: User, now: datetime) -> None:
    rows = ModelAsset.objects.select_for_update(of=("self",), no_key=True).select_related("team")
    asset = rows.get(pk=change.subject_id)
    present, after = Classification(asset.tier, asset.task), Classification(**change.details["after"])
    if present != Classification(**change.details["before"]):
        raise WrongState(f"The model is {present.words} by now. Refuse this change, and propose it again.")
    asset.tier, asset.task = after.tier, after.task
    asset.save(update_fields=["tier", "task"])
    details = {"before": vars(present), "after": vars(after)}
    subject = ("model", f"{asset.team.slug}/{asset.slug}")
    audit.record(kind="model.reclassified", by=by, subject=subject, details=details, reason=change.reason, now=now)


def _visible(person: Person) -> Q:
    """Whoever sees the model sees how it is to be classified."""
    own = Q(proposed_by_id=person.id) | Q(subject_id__in=visible_to(person).values("pk"))
    return Q() if sees_everything(person) else own


register(
    ChangeKind(
        name=Changed.TIER_OR_TASK,
        confirmers=(Role.PLATFORM_LEAD,),
        may_propose=lambda person, change: check_act_for_team(person, team=_asset(change).team.slug),
        check_impartial=lambda person, change: check_outside_team(person, team=_asset(change).team.slug),
        apply=_apply,
        visible=_visible,
        team=lambda change: _asset(change).team.slug,
        noun="the tier or the task of a model",
        another="a platform lead from outside the team",
        done="confirmed. Requests that are submitted from now on are judged by it.",
        why_none="All platform leads proposed it or belong to the team. An administrator can appoint another.",
    )
)
