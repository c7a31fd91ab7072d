"""What a reviewer should doubt about a request, as sentences with the part of the page that shows it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from benchmarking.runs.queries.runs import RunView
from governance.jobs.enums import JobState
from reviews.evidence.queries.imported import metrics_on_other_data
from reviews.evidence.queries.metric_views import CLAIMED, MetricView
from reviews.requests.domain import wording
from reviews.requests.domain.lifecycle import RequestState
from reviews.snapshots.queries.snapshot import RequestSnapshot
from reviews.workflow.queries.view import RequestView
from weighbridge.core.metrics.basis import Basis
from weighbridge.core.metrics.standard import metric_words
from weighbridge.costs.prices.book import STALE_DAYS

ASKS = " Correct the claim or explain the difference."
"""What a contradiction asks of the requester, which a reviewer need not read."""
NAMED = 3


@dataclass(frozen=True)
class RequestDoubt:
    """One doubt: its sentence, and the anchor of the part that shows it."""

    sentence: str
    part: str


def doubts_of(view: RequestView, *, snapshot: RequestSnapshot) -> tuple[RequestDoubt, ...]:
    """Every open doubt, those about the decisive values first."""
    refused = {event.details["run"]: event.reason for event in snapshot.trail if event.kind == "evidence.refused"}
    return (
        *_about_claims(view),
        *_about_values(view),
        *_about_verdicts(view),
        *_about_data(view),
        *_about_imports(snapshot),
        *_about_runs(view, refused=refused),
        *_about_repeated_runs(view),
        *_about_prices(view, today=snapshot.now.date()),
        *_about_rules(view),
        *_about_other_requests(view),
        *_about_voters(snapshot),
    )


def _about_claims(view: RequestView) -> Iterator[RequestDoubt]:
    for metric in view.contradicted:
        if metric.is_worse:
            reply = f"{metric.answered_by}: {metric.answer}" if metric.answer else "Nobody has explained it yet."
            yield RequestDoubt(f"{metric.contradiction.removesuffix(ASKS)} {reply}", "metric-values")


def _about_values(view: RequestView) -> Iterator[RequestDoubt]:
    part = "metric-values"
    for metric in view.metric_values:
        title, unit = metric.kind.title, metric.kind.unit
        if is_raised(metric) and metric.claimed and metric.best:
            stated = wording.value_words(metric.claimed.value, unit=unit)
            summed = wording.value_words(metric.best.value, unit=unit)
            yield RequestDoubt(f"{title}: {stated} was stated, but its parts add up to {summed}, which counts.", part)
        if metric.is_expired:
            yield RequestDoubt(f"{title}: the value is no longer valid.", part)


def _about_verdicts(view: RequestView) -> Iterator[RequestDoubt]:
    titles = [metric.kind.title for metric in view.metric_values if metric.verdict == "indicative"]
    if titles:
        more = f" and {len(titles) - NAMED} more" if len(titles) > NAMED else ""
        words = "measurement is" if len(titles) == 1 else "measurements are"
        named = ", ".join(titles[:NAMED])
        yield RequestDoubt(f"{len(titles)} {words} only indicative: {named}{more}.", "metric-values")


def is_raised(metric: MetricView) -> bool:
    """Whether a stated total counts with the higher sum of its parts."""
    best, claimed = metric.best, metric.claimed
    if best is None or claimed is None or metric.is_on_record:
        return False
    if not (metric.kind.parts or metric.kind.weighted_parts):
        return False
    return best.basis in CLAIMED and best.value > claimed.value


def _about_data(view: RequestView) -> Iterator[RequestDoubt]:
    if view.dataset_doubt:
        yield RequestDoubt(f"The quality is declared, not measured. {view.dataset_doubt}", "request")
    if view.metric_values and not any(metric.measured for metric in view.metric_values):
        bases = f"{Basis.DECLARED.value} or {Basis.ESTIMATED.value}"
        yield RequestDoubt(f"No value was measured: every value is {bases}.", "metric-values")


def _about_imports(snapshot: RequestSnapshot) -> Iterator[RequestDoubt]:
    for file, metrics in metrics_on_other_data(snapshot.request).items():
        titles = ", ".join(metric_words(name) for name in metrics)
        yield RequestDoubt(f"{file}: measured on other data than the evaluation set, so left out: {titles}.", "import")


def _about_runs(view: RequestView, *, refused: Mapping[int, str]) -> Iterator[RequestDoubt]:
    seen: set[str] = set()
    for run in (entry.run for entry in view.runs):
        if run.scenario not in seen and run.is_finished:
            seen.add(run.scenario)
            yield from _about_run(run, refused.get(run.id, ""))


def _about_run(run: RunView, why_refused: str) -> Iterator[RequestDoubt]:
    reasons = f" {run.reasons[0]}" if run.reasons else ""
    if run.verdict == "invalid":
        yield RequestDoubt(f"Run {run.id} is invalid, so that its values do not count.{reasons}", f"run-{run.id}")
    elif run.state == JobState.DEAD:
        yield RequestDoubt(f"Run {run.id} failed: {run.error}", f"run-{run.id}")
    elif why_refused:
        yield RequestDoubt(f"Run {run.id} was refused as evidence: {why_refused}", f"run-{run.id}")


def _about_repeated_runs(view: RequestView) -> Iterator[RequestDoubt]:
    """Whoever measures again until a limit holds; the worst run of this request is shown."""
    for repeated in view.repeated_runs:
        own = next((f"run-{miss.run_id}" for miss in repeated.missed if not miss.ref), "metric-values")
        yield RequestDoubt(repeated.sentence, own)


def _about_prices(view: RequestView, *, today: date) -> Iterator[RequestDoubt]:
    latest = view.projections[0] if view.projections else None
    dates = [date.fromisoformat(str(pin["as_of"])[:10]) for pin in latest.document["prices"]] if latest else []
    oldest = min(dates, default=today)
    days = (today - oldest).days
    if days > STALE_DAYS:
        yield RequestDoubt(f"The costs rest on a price of {oldest:%Y-%m-%d}, which is {days} days old.", "costs")


def _about_rules(view: RequestView) -> Iterator[RequestDoubt]:
    for waiver in view.waivers:
        if not waiver.is_over:
            yield RequestDoubt(
                f"“{waiver.words}” is waived until {waiver.expires_at:%Y-%m-%d}: {waiver.reason}", "policy"
            )


def _about_other_requests(view: RequestView) -> Iterator[RequestDoubt]:
    for denial in view.standing.denials if view.standing else ():
        yield RequestDoubt(f"The artifact is denied elsewhere: {denial}.", "request")


def _about_voters(snapshot: RequestSnapshot) -> Iterator[RequestDoubt]:
    """Whoever voted and got an interest later, as the new owner for example: that voids no vote."""
    if snapshot.state is not RequestState.IN_REVIEW:
        return
    electorate = snapshot.electorate
    for ballot in electorate.counted:
        if any(electorate.interests.conflict_of(person_id) for person_id in ballot.people):
            who = ballot.voter
            yield RequestDoubt(
                f"{who} has had an interest in this request since voting; the vote still counts.", "votes"
            )
