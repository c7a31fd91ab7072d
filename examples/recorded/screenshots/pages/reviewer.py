"""Pages of a reviewer, who votes on the evidence."""

from benchmarking.runs.models import Run
from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage, at
from examples.recorded.tour import ref_in_review, request_in_review


def _runs() -> list[int]:
    """The last profile of the request that waits for a vote, and the profile of the request before it."""
    own = ref_in_review()
    profiles = Run.objects.exclude(key__endswith="alternatives").order_by("pk")
    return [profiles.filter(asked_for=own).latest("pk").pk, profiles.exclude(asked_for=own).earliest("pk").pk]


def _run() -> str:
    return at("benchmarking:run", _runs()[0], part="#latency")()


def _comparison() -> str:
    return at("benchmarking:compare", part="?" + "&".join(f"run={number}" for number in _runs()))()


REVIEWER = PageGroup(
    "reviewer",
    "Reviewer",
    "A reviewer votes on measured values. Here it is Rune Reviewer.",
    (
        PicturedPage(
            name="inbox",
            title="Inbox of a reviewer",
            words="What lapses first is first: votes, conditions, findings and meetings in one list.",
            alt="Two conditions wait for a reviewer; one is overdue",
            person="reviewer1",
            address=at("reviews:inbox"),
        ),
        PicturedPage(
            name="evidence",
            title="Evidence",
            words="Claims stand beside measurements, with basis, interval, source and the result of the rule.",
            alt="A table of metric values: claimed, measured, limit and status of each",
            person="reviewer1",
            address=request_in_review("evidence"),
        ),
        PicturedPage(
            name="policy-of-a-request",
            title="Policy of a request",
            words="Each rule says whether it holds, and why, in a sentence with the values.",
            alt="The rules that judge the request: two fire and require a review, the others hold",
            person="reviewer1",
            address=request_in_review("policy"),
        ),
        PicturedPage(
            name="checklist",
            title="Checklist",
            words="Measurements answer a part of the checklist by themselves; people answer the rest.",
            alt="Items of the checklist, each complete, with the metric values that answer it",
            person="reviewer1",
            address=request_in_review("checklist"),
        ),
        PicturedPage(
            name="run",
            title="Run",
            words="A run shows its verdict, the distribution of its latencies and its conditions.",
            alt="The histogram of the latencies of a run, with lines at p50, p95 and p99",
            person="reviewer1",
            address=_run,
        ),
        PicturedPage(
            name="compare",
            title="Compare runs",
            words="Runs side by side: one scale for each metric, with intervals, and a verdict in words.",
            alt="Dot plots of two runs for each metric; the accuracy has intervals that do not overlap",
            person="reviewer1",
            address=_comparison,
        ),
    ),
)
