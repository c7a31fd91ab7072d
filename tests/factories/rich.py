"""One decided request with everything a request can have: what takes the most reading."""

from collections.abc import Callable
from datetime import datetime, timedelta

from benchmarking.projections import actions as kept
from benchmarking.runs.models import Run
from benchmarking.runs.queries import runs
from reviews.packets import actions as packets
from reviews.requests.models import ReviewRequest
from reviews.ticket_sync.actions import receiving as inbound
from reviews.tickets.ports import RemoteComment, RemoteIssue, RemoteTicket
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import evidence, measurements, projections, requests, review, waivers
from reviews.workflow.actions.requests import Filing
from tests.factories import requests as walks
from tests.factories import tickets as sites
from tests.factories.alternatives import RESULT
from tests.factories.costs import cost_spec
from tests.factories.models import make_dataset, make_version
from tests.factories.people import Cast
from tests.remembered import remembered

RULE = "cheaper-alternatives-prod"


@remembered
def make_rich(*, cast: Cast, now: datetime, until: Callable[[ReviewRequest], None] = lambda _: None) -> ReviewRequest:
    """Rivals, a projection drawn anew, a contradicted claim, a waiver, a second revision, conditions, two packets."""
    author, clock = cast.author, _clock(now)
    request = _filed(cast, clock())
    for name, value in {**walks.DECLARED, "latency_p95_ms": "1"}.items():
        walks.state_metric_value(request=request, name=name, value=value, by=author, now=clock())
    projection = kept.project_and_store(spec=cost_spec(), by=author, now=clock())
    projections.state(request=request, projection=projection, option="own", by=author, now=clock())
    request = requests.submit(request=request, by=author, now=clock())
    remote = RemoteTicket("10001", "MR-1", "https://jira.test/browse/MR-1", "To Do")
    sites.link(request.ticket, remote=remote, now=clock())
    inbound.update_mirror(ticket=request.ticket, remote=_as_read(clock()), now=clock())
    for run in runs.of_request(request.ref):
        result = RESULT if run.scenario == "alternatives" else walks.result_of()
        _take(request, run, result, clock())
    waivers.grant(
        request=request,
        rule_id=RULE,
        reason="Weights cannot be quantized.",
        valid_days=90,
        by=cast.approver,
        now=clock(),
    )
    walks.answer_everything(request=request, by=author, now=clock())
    evidence.answer_contradiction(
        request=request, name="latency_p95_ms", text="Measured on a GPU before.", by=author, now=clock()
    )
    walks.explain_everything(request=request, by=author, now=clock())
    walks.allocate_budget(team=request.team, by=cast.finance, now=clock(), usd="9000000")
    review.request_review(request=request, by=author, now=clock())
    _vote(request, cast, "technical", "reviewer_one", clock(), choice=VoteChoice.REQUEST_CHANGES)
    requests.revise(request=request, reason="Answered the reviewer.", by=author, now=clock())
    walks.state_metric_value(request=request, name="error_rate", value="0.01", by=author, now=clock())
    review.request_review(request=request, by=author, now=clock())
    packets.request_packet(request=request, by=author, now=clock())
    _vote(request, cast, "technical", "reviewer_one", clock())
    _vote(request, cast, "technical", "reviewer_two", clock())
    until(request)
    promises = tuple(
        review.NewCondition(text=text, owner=author, due_on=(now + timedelta(days=30)).date())
        for text in ("Watch the error rate.", "Measure the student.")
    )
    _vote(request, cast, "gpu-budget", "approver", clock(), conditions=promises)
    request.refresh_from_db()
    return request


def _clock(now: datetime) -> Callable[[], datetime]:
    """A minute later each time it is asked, so that nothing happens at once."""
    minutes = iter(range(1, 1_000))
    return lambda: now + timedelta(minutes=next(minutes))


def _filed(cast: Cast, now: datetime) -> ReviewRequest:
    author = cast.author
    rivals = tuple(make_version(by=author, now=now, version=f"{number}.0.0", seed=number) for number in (2, 3))
    filing = Filing(
        title="Visual search, autumn model",
        purpose=walks.PURPOSE,
        environment="prod",
        business_case="Raises conversion of the search page by 1.5 %.",
        model_version=make_version(by=author, now=now),
        dataset=make_dataset(by=author, now=now),
        rivals=rivals,
    )
    return requests.create(filing=filing, by=author, now=now)


def _as_read(now: datetime) -> RemoteIssue:
    said = RemoteComment(id="1", author_id="ada", author="Ada L", text="When?", created_at=now, updated_at=now)
    url = "https://jira.test/browse/MR-1"
    return RemoteIssue(id="10001", key="MR-1", url=url, status="To Do", updated_at=now, comments=(said,))


def _take(request: ReviewRequest, run: Run, result: dict, now: datetime) -> None:
    done = walks.finish_run(run=run, now=now, result=result)
    measurements.record_measurements(request=request, run=done, now=now)


def _vote(request: ReviewRequest, cast: Cast, stage: str, who: str, now: datetime, **more: object) -> None:
    settings = {"choice": VoteChoice.APPROVE, **more}
    by = getattr(cast, who)
    review.vote(request=request, stage_id=stage, rationale="Because of the metric values.", by=by, now=now, **settings)
