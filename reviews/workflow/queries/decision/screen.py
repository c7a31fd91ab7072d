"""The decision screen of a request: what is asked, the deciding metrics, cheaper variants, and what is in doubt."""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from benchmarking.runs.domain.frontiers import with_limits
from benchmarking.runs.queries.runs import RunView
from governance.budgets.domain.burn_down import burn_down_chart
from governance.budgets.enums import BudgetUnit
from governance.budgets.queries.burn_down import burn_down_of
from governance.site.domain.charts.chart import PageChart
from reviews.evidence.queries.attested import AttestedView, attested_views
from reviews.requests.domain import wording
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.models import ReviewRequest
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.workflow.queries.decision.doubts import RequestDoubt, doubts_of
from reviews.workflow.queries.decision.metrics import DecidingMetrics, deciding_metrics
from reviews.workflow.queries.view import RequestView
from weighbridge.core.metrics.catalog import Direction

TOTAL = "total_cost_1y_usd"
ASKED = {
    RequestState.DECIDED: "{what} was reviewed for {where}{price}.",
    RequestState.CLEARED: "{what} may run in {where}{price} without a review.",
    RequestState.WITHDRAWN: "{what} was proposed for {where}{price}.",
    RequestState.EXPIRED: "{what} was proposed for {where}{price}.",
}
QUESTION = "May {what} run in {where}{price}?"


@dataclass(frozen=True, kw_only=True)
class DecisionScreen:
    """`question` is one sentence. `compared` is the latest run or signed result with variants, `burn_down` the money of
    the quarter; each is None if there is none.
    """

    question: str
    metrics: DecidingMetrics
    compared: RunView | AttestedView | None
    burn_down: PageChart | None
    doubts: tuple[RequestDoubt, ...]

    @property
    def variants_prefix(self) -> str:
        """What the anchors of the compared variants begin with."""
        return "run" if isinstance(self.compared, RunView) else "attested"


def decision_screen(view: RequestView, *, snapshot: RequestSnapshot) -> DecisionScreen:
    """The decision screen of a request, for a person who sees `view`."""
    request, today = snapshot.request, snapshot.now.date()
    return DecisionScreen(
        question=question_of(view),
        metrics=deciding_metrics(snapshot.evidence, metrics=view.metric_values),
        compared=_compared(view, request=request),
        burn_down=_burn_down(view, request=request, today=today),
        doubts=doubts_of(view, snapshot=snapshot) if view.state != RequestState.DRAFT else (),
    )


def _compared(view: RequestView, *, request: ReviewRequest) -> RunView | AttestedView | None:
    runs = (entry.run for entry in view.runs)
    measured = next((run for run in runs if run.variants), None)
    found = measured or next((result for result in attested_views(request) if result.variants), None)
    return replace(found, frontiers=with_limits(found.frontiers, limits=_limits(view))) if found else None


def _limits(view: RequestView) -> dict[str, Decimal]:
    """The limits of the policy by metric: those on the side on which values are worse."""
    limited = ((metric.kind, metric.limit) for metric in view.metric_values if metric.limit is not None)
    return {
        kind.name: limit.value
        for kind, limit in limited
        if limit.comparator.is_ceiling == (kind.direction is Direction.LOWER)
    }


def _burn_down(view: RequestView, *, request: ReviewRequest, today: date) -> PageChart | None:
    """The money of the team in the quarter of the decision, without this request and with it."""
    effect = next((effect for effect in view.budget if effect.unit == BudgetUnit.USD and not effect.is_later), None)
    if effect is None:
        return None
    burned = burn_down_of(
        team=request.team,
        quarter=effect.quarter,
        unit=effect.unit,
        today=today,
        this=effect.this - effect.released,
        without=request.ref,
    )
    return burn_down_chart(burned) if burned else None


def question_of(view: RequestView) -> str:
    """What is to be decided, or was, in a sentence: model, environment, and the costs of the first year."""
    total = next((metric.best for metric in view.metric_values if metric.kind.name == TOTAL), None)
    price = f" for {wording.value_words(total.value, unit=total.unit)} in the first year" if total else ""
    sentence = ASKED.get(RequestState(view.state), QUESTION)
    return sentence.format(what=f"{view.model.name} {view.model.version}", where=view.environment, price=price)
