"""Pages of a platform lead, who decides and holds the quarterly meeting."""

from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage, at
from examples.recorded.tour import request_in_review
from governance.rulebook.models import PolicyVersion
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle


def _held() -> ReviewCycle:
    return ReviewCycle.objects.get(state=CycleState.HELD.value)


def _cycle(page: str = "cycle", part: str = "") -> str:
    return at(f"reviews:{page}", _held().quarter, part=part)()


def _item(part: str = "") -> str:
    held = _held()
    first = held.items.filter(removed_at=None).earliest("position")
    return at("reviews:cycle_item", held.quarter, first.pk, part=part)()


def _policy() -> str:
    latest = PolicyVersion.objects.filter(name="default").latest("number")
    return at("governance:policy", "policies", latest.name, latest.number)()


LEAD = PageGroup(
    "lead",
    "Platform lead",
    "A platform lead votes on budgets and holds the quarterly meeting. Here it is Lee Lead.",
    (
        PicturedPage(
            name="inbox",
            title="Inbox of a lead",
            words="One list has all decisions that wait: votes, meetings, conditions and findings.",
            alt="Five entries wait for Lee Lead, among them a vote and an open meeting",
            person="lead",
            address=at("reviews:inbox"),
            presses=("No, thanks",),
        ),
        PicturedPage(
            name="decision",
            title="Decision screen",
            words="One screen for one decision: the question, the doubts, the deciding metrics and the vote.",
            alt="The question to decide, two doubts, deciding metrics on scales, and the form of the vote",
            person="lead",
            address=request_in_review(),
        ),
        PicturedPage(
            name="cheaper-variants",
            title="Cheaper variants",
            words="Variants are measured together with the model; those on the frontier are not beaten by any other.",
            alt="A chart of accuracy against p95 latency with intervals, and a table of variants with verdicts",
            person="lead",
            address=request_in_review(part="#variants"),
        ),
        PicturedPage(
            name="costs-of-a-request",
            title="Costs of a request",
            words="The costs of each option with median and range, from the prices of one day.",
            alt="A table with the costs of two options; the requested one is the cheapest in all draws",
            person="lead",
            address=request_in_review("costs"),
        ),
        PicturedPage(
            name="quarter",
            title="Quarterly page",
            words="The page of a quarter has the earlier decisions, the agenda, the scorecard and the packet.",
            alt="The review of 2026Q3 with its meeting open, three earlier decisions and the agenda",
            person="lead",
            address=_cycle,
        ),
        PicturedPage(
            name="meeting",
            title="Meeting",
            words="In the meeting, one item at a time is decided; the usual decision is proposed.",
            alt="One item of the agenda with what it is about, the form of the decision, the clock and the attendance",
            person="lead",
            address=_item,
        ),
        PicturedPage(
            name="presenter",
            title="View for a projector",
            words="The same item in large type, without forms.",
            alt="One item of the agenda in large type",
            person="lead",
            address=lambda: _item("?view=presenter"),
        ),
        PicturedPage(
            name="portfolio",
            title="Portfolio",
            words="All models that run or are pending, with costs and gains; the optimizer proposes what to keep.",
            alt="Links for teams, the proposal, and a table of models with costs, latency and KPI change",
            person="lead",
            address=lambda: _cycle("cycle_portfolio"),
        ),
        PicturedPage(
            name="policy",
            title="Policy",
            words="A policy states conditions, the evidence that each accepts, and what follows if one does not hold.",
            alt="The rules of the default policy with scope, accepted evidence and consequence",
            person="lead",
            address=_policy,
        ),
    ),
)
