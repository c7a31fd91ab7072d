"""The steps of the tour, on pages of the recording."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.models import ReviewCycle
from reviews.requests.models import ReviewRequest

TITLE = "Fallback classifier for product photographs"
"""The request of the recording that waits for a vote."""
FOLLOWED = "lead"
"""The person whose work the tour shows: a platform lead votes, holds the meeting and sees the money of all teams."""


@dataclass(frozen=True)
class TourStep:
    """A page, and what a newcomer should see there."""

    title: str
    text: str
    address: Callable[[], str]


def ref_in_review() -> str:
    """The reference of the request that waits for a vote."""
    return ReviewRequest.objects.filter(title=TITLE).latest("pk").ref


def request_in_review(tab: str = "detail", part: str = "") -> Callable[[], str]:
    """The address of a tab of the request that waits for a vote; `part` is a place on the page."""
    return lambda: reverse(f"reviews:{tab}", args=[ref_in_review()]) + part


def _meeting() -> str:
    open_cycles = ReviewCycle.objects.filter(state__in=[CycleState.FROZEN.value, CycleState.HELD.value])
    cycle = open_cycles.order_by("quarter").last() or ReviewCycle.objects.latest("quarter")
    return reverse("reviews:cycle", args=[cycle.quarter])


STEPS = (
    TourStep(
        "What waits for you",
        "The inbox has one list: votes, changes, findings and meetings that wait for you. What lapses first is first. "
        "Next, open the request that waits for your vote.",
        lambda: reverse("reviews:inbox"),
    ),
    TourStep(
        "One screen for one decision",
        "On the left is what was claimed, measured and allowed, and what is in doubt. On the right is what an approval "
        "would do. Press ? beside a word to read what it means.",
        request_in_review(),
    ),
    TourStep(
        "What it costs",
        "The costs of a year are a distribution, because load and times are uncertain: the median, and the range from "
        "P10 to P90. Each line has its formula, its inputs and the source of its prices.",
        request_in_review("costs"),
    ),
    TourStep(
        "What would be cheaper",
        "Cheaper variants were measured together with the model. Those on the Pareto frontier are not beaten: nothing "
        "else is at least as good in every metric and better in one.",
        request_in_review(part="#variants"),
    ),
    TourStep(
        "Your vote",
        "Two reviewers have approved; the GPU budget needs you. Approve it, with a condition if you like, or reject "
        "it. Your vote is recorded in a chain that nobody can edit. You can also leave it open and go on.",
        request_in_review(part="#votes"),
    ),
    TourStep(
        "The quarterly meeting",
        "Agenda and figures of the last quarter are frozen. Open the meeting, record who is there, and decide one item "
        "at a time; the usual decision is proposed.",
        _meeting,
    ),
    TourStep(
        "Where the money went",
        "Bills are imported and split by team, model and month. Log in as Fay Finance to import bills and allocate "
        "budgets. This is the last step; Help starts the tour again.",
        lambda: reverse("governance:spend"),
    ),
)
