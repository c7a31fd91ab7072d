"""Answers that a model inherits from approved parents of its team, as the policy of its request says."""

from collections.abc import Iterator
from datetime import datetime

from governance.rulebook.domain.checklists import ChecklistReply
from governance.rulebook.domain.policy import Policy
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.domain.standing import APPROVED
from reviews.authorizations.models import Authorization
from reviews.authorizations.queries.standing import artifact_records
from reviews.evidence.models import ChecklistAnswer
from reviews.requests.models import ReviewRequest
from weighbridge.subjects.lineage import Ancestor, parse_lineage


def inherited_answers(request: ReviewRequest, *, policy: Policy, now: datetime) -> tuple[ChecklistReply, ...]:
    """The answers of approved parents to the items that the policy names, by item; the latest approval counts.

    A parent counts while the same team holds an authorization of it in force in the same environment, reviewed with a
    checklist of the same name, and nothing denies it there. Answers of another team are not inherited, because they are
    not for this team to read.
    """
    found = {
        reply.item_id: reply
        for ancestor in parse_lineage(request.model_version.lineage)
        for reply in _from_parent(ancestor, request, policy, now)
    }
    return tuple(found.values())


def _from_parent(ancestor: Ancestor, request: ReviewRequest, policy: Policy, now: datetime) -> Iterator[ChecklistReply]:
    statements = {each.item: each.statement for each in policy.inheritance.items_through(ancestor.relation)}
    approval = _approval(ancestor.digest, request, now) if ancestor.digest and statements else None
    if approval is None:
        return
    answers = ChecklistAnswer.objects.filter(request=approval.decision.request, item__in=statements)
    for row in answers.select_related("answered_by").order_by("item"):
        yield ChecklistReply(
            item_id=row.item,
            answered_by=row.answered_by.username,
            answered_at=row.answered_at,
            text=row.text,
            inherited_from=(
                f"{approval.number} ({ancestor.relation.value.replace('_', ' ')} {ancestor.digest[7:19]}) under policy "
                f"{request.policy}: {statements[row.item].value.replace('_', ' ')}"
            ),
        )


def _approval(digest: str, request: ReviewRequest, now: datetime) -> Authorization | None:
    rows = Authorization.objects.filter(
        subject_digest=digest,
        environment=request.environment,
        state__in=[state.value for state in IN_FORCE],
        expires_at__gt=now,
        decision__request__team=request.team,
        decision__request__checklist__name=request.checklist.name if request.checklist else "",
    )
    approval = rows.select_related("decision__request").order_by("-pk").first()
    if approval is None:
        return None
    standing = artifact_records(digest=digest, environment=request.environment, now=now).standing.standing
    return approval if standing in APPROVED else None
