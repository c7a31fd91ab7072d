"""A recorded policy evaluation, made again from what was known then."""

from governance.rulebook.domain.evaluation.policies import Evaluation, evaluate
from governance.rulebook.queries.rulebook import policy_in
from reviews.evidence.domain.claims import counted_values
from reviews.evidence.models import MetricRecord, PolicyEvaluation
from reviews.evidence.queries.backtests import cases
from reviews.evidence.queries.evidence import metric_value_of
from weighbridge.core.metrics.standard import STANDARD


def again(row: PolicyEvaluation) -> Evaluation:
    """Repeat a recorded evaluation with its policy version and the metric values that counted then."""
    names = cases.names_asked([policy_in(row.policy)], catalog=STANDARD)
    [(_, case)] = cases.replayed(PolicyEvaluation.objects.filter(pk=row.pk), names=names, catalog=STANDARD)
    known = row.request.metric_records.filter(pk__lte=row.told["metric_values_to"]).order_by("pk")
    binding = [metric_value_of(MetricRecord.objects.get(pk=pk)) for pk in row.told["binding_values"]]
    return evaluate(
        policy_in(row.policy),
        subject=case.request.subject,
        metric_values=counted_values([metric_value_of(record) for record in known], binding=binding, catalog=STANDARD),
        now=case.at,
        waived=case.waived,
        catalog=STANDARD,
    )
