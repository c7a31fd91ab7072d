"""A recorded policy evaluation, made again from what was known then."""

from governance.rulebook.domain.evaluation import Evaluation, evaluate
from reviews.evidence.models import PolicyEvaluation
from reviews.evidence.queries import backtest
from reviews.evidence.queries.evidence import metric_value_of
from reviews.requests.queries.rulebook import policy_of


def again(row: PolicyEvaluation) -> Evaluation:
    """Repeat a recorded evaluation with its policy version and the metric values known then."""
    values = [
        metric_value_of(record)
        for record in row.request.metric_records.order_by("pk")
        if backtest._was_known(row, record.pk, record.observed_at)
    ]
    waived = backtest._waived(row, backtest._waivers([row]))
    subject = backtest._subject(row)
    return evaluate(policy_of(row.policy), subject=subject, metric_values=values, now=row.evaluated_at, waived=waived)
