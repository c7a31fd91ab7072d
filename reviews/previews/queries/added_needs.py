"""Whether a request needs a review because of what is cleared already for the same artifact."""

from governance.rulebook.domain.evaluation.metric_index import index_values
from governance.rulebook.domain.evaluation.policies import PolicyOutcome, evaluate_index
from reviews.evidence.domain.added_needs import with_needs, with_words
from reviews.evidence.queries.claims_on_record import cleared_needs
from reviews.evidence.queries.evidence import subject_of
from reviews.evidence.queries.snapshot import EvidenceSnapshot


def reason_of_sum(evidence: EvidenceSnapshot) -> str:
    """Why a review is mandatory: the policy requires it for the sum of this need and those that are cleared; "" if not.

    After an audit event in the same transaction, no other request for the artifact can be cleared at the same time.
    """
    request = evidence.request
    needs = cleared_needs(request, now=evidence.now)
    if not needs:
        return ""
    own = with_needs(evidence.own_values, needs=needs, catalog=evidence.catalog)
    found = evaluate_index(
        evidence.policy,
        subject=subject_of(request),
        index=index_values(own, catalog=evidence.catalog),
        now=evidence.now,
        references=evidence.references,
        waived=evidence.waived,
    )
    if found.outcome.rank < PolicyOutcome.REVIEW_REQUIRED.rank:
        return ""
    words = with_words(needs, environment=request.environment)
    return f"{words}: {found.standing()[0].reason}"
