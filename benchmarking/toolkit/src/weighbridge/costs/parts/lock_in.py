"""Lock-in: the exit cost in dollars, the probability of leaving, and a score in six dimensions.

exit cost = re-embedding + fine-tuning again + rework of prompts and evaluations + code + moving the data out + running
both in parallel + a termination fee. Embeddings and fine-tuned weights are usually the largest parts.
"""

import dataclasses
from datetime import date

from weighbridge.core.errors import Invalid
from weighbridge.costs.lines import Costing, line_of, part
from weighbridge.costs.parts.traffic import TrafficTier, check_traffic, tiered_usd
from weighbridge.costs.spec.usd import UsdPerMillionTokens
from weighbridge.costs.uncertainty import Amount, check_amounts, check_share

TOKENS_PER_PRICE = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scores:
    """Lock-in scores in six dimensions, each from 1 (free to leave) to 5 (locked in)."""

    data_portability: int
    api_dependency: int
    feature_exclusivity: int
    switching_effort: int
    alternatives: int
    knowledge: int

    def __post_init__(self) -> None:
        """Refuse scores outside the scale."""
        for name, score in dataclasses.asdict(self).items():
            if not 1 <= score <= 5:
                text = f"{name} must be a score from 1 (free to leave) to 5 (locked in), not {score}."
                raise Invalid(text, field=name)

    @property
    def out_of_100(self) -> int:
        """Return the mean of the six scores on a scale from 0 (free to leave) to 100 (locked in), rounded half up."""
        scores = dataclasses.astuple(self)
        return int((sum(scores) - len(scores)) * 100 / (4 * len(scores)) + 0.5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class LockIn:
    """The inputs of the exit cost. `parallel_usd_per_month` is the bill of the old service while both run.

    `switch_probability` is the probability of leaving within the years; on `forced_migration` the vendor ends the
    service.
    """

    reembed_tokens: Amount = 0.0
    reembed_usd: UsdPerMillionTokens = 0.0
    refine_usd: Amount = 0.0
    rework_hours: Amount = 0.0
    code_hours: Amount = 0.0
    engineer_usd_per_h: Amount = 0.0
    egress_gb: Amount = 0.0
    egress_tiers: tuple[TrafficTier, ...] = ()
    parallel_months: Amount = 0.0
    parallel_usd_per_month: Amount = 0.0
    termination_usd: Amount = 0.0
    switch_probability: float = 0.0
    scores: Scores | None = None
    forced_migration: date | None = None
    forced_by: str = ""

    def __post_init__(self) -> None:
        """Validate the amounts; data needs price tiers, and a forced migration needs a source."""
        check_amounts(self)
        check_share(self, "switch_probability")
        check_traffic(self.egress_gb, self.egress_tiers)
        if self.forced_migration is not None and not self.forced_by:
            raise Invalid("Give the source of the forced migration date.", field="forced_by")


def exit_cost(spec: LockIn) -> Costing:
    """Return the exit cost at today's prices, by part."""
    rate = spec.engineer_usd_per_h
    moving_usd = tiered_usd(spec.egress_gb, spec.egress_tiers)
    running_both = part(spec.parallel_usd_per_month, spec.parallel_months)
    embedding_usd = spec.reembed_tokens * spec.reembed_usd / TOKENS_PER_PRICE
    lines = (
        line_of(spec, "embedding again", embedding_usd, "reembed_tokens · reembed_usd / 1e6"),
        line_of(spec, "fine-tuning again", spec.refine_usd, "refine_usd"),
        line_of(spec, "prompts and evaluations", spec.rework_hours * rate, "rework_hours · engineer_usd_per_h"),
        line_of(spec, "code", spec.code_hours * rate, "code_hours · engineer_usd_per_h"),
        line_of(spec, "moving data out", moving_usd, "egress_gb at the price of each tier"),
        line_of(spec, "running both", running_both, "parallel_months · parallel_usd_per_month"),
        line_of(spec, "termination", spec.termination_usd, "termination_usd"),
    )
    return Costing(lines)
