"""The tightest limits of a policy: of a metric with the status of its rule, and upper ones as lines of charts."""

from dataclasses import dataclass
from decimal import Decimal

from governance.rulebook.domain.evaluation.limits import RuleStatus
from governance.rulebook.domain.metric_limits import Comparator
from governance.rulebook.domain.policy import Policy
from governance.rulebook.domain.scopes import EvaluationSubject


@dataclass(frozen=True)
class PolicyLimit:
    """The tightest limit of the policy for a metric of one request, and the current status of its rule."""

    value: Decimal
    comparator: Comparator
    rule_id: str
    status: RuleStatus

    def is_tighter(self, than: "PolicyLimit | None") -> bool:
        """Whether this limit is stricter than the other; of equal limits, the first one is kept."""
        if than is None:
            return True
        return self.value < than.value if self.comparator.is_ceiling else self.value > than.value


def upper_limit(policy: Policy, *, subject: EvaluationSubject, metric: str) -> Decimal | None:
    """The lowest number that the metric must not exceed, in the unit of the metric; None without one.

    Limits relative to a reference are left out, and those of rules that hold if any other of their limits holds.
    """
    rules = (rule for rule in policy.rules if rule.scope.covers(subject) and rule.needs_every_limit)
    limits = (limit for rule in rules for limit in rule.limits)
    plain = (each for each in limits if each.metric == metric and each.versus is None)
    return min((each.limit for each in plain if each.comparator.is_ceiling), default=None)
