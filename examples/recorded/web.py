"""The pages of `make try`: the people of the demo at log-in, the date of the recording, and the tour."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from examples.recorded.clock import RecordedClock
from examples.recorded.tour import FOLLOWED, STEPS, TourStep
from governance.accounts.domain import DEMO_PASSWORD, DEMO_PEOPLE
from governance.people.models import RoleGrant

KEY, ENDED = "tour", 0


@dataclass(frozen=True)
class TourPanel:
    """What the panel of the tour shows: a step, or the offer to start (step 0)."""

    number: int
    step: TourStep | None
    is_here: bool = True
    has_moved: bool = False

    @property
    def count(self) -> int:
        """How many steps there are."""
        return len(STEPS)

    @property
    def previous(self) -> int:
        """The step before."""
        return self.number - 1

    @property
    def following(self) -> int:
        """The next step; the end after the last."""
        return (self.number + 1) % (len(STEPS) + 1)


def recorded(request: HttpRequest) -> dict[str, Any]:
    """Context of all pages: the date of the recording, its people at log-in, and the panel of the tour."""
    found: dict[str, Any] = {"recorded_at": _clock().recorded_at, "followed": FOLLOWED}
    if request.path == reverse("account_login"):
        found |= {"demo_people": _people(), "demo_password": DEMO_PASSWORD}
    elif hasattr(request, "user") and request.user.is_authenticated:
        found["tour"] = _panel(request)
    return found


def _clock() -> RecordedClock:
    clock: RecordedClock = settings.RECORDED_CLOCK  # type: ignore[misc]  # of examples.recorded.settings
    return clock


def _people() -> list[tuple[User, str]]:
    """The people of the demo with their roles, the one whom the tour follows first."""
    roles: dict[int, list[str]] = {}
    for person, role in RoleGrant.objects.values_list("user_id", "role").distinct().order_by("role"):
        roles.setdefault(person, []).append(role.replace("_", " "))
    rows = User.objects.filter(username__in=DEMO_PEOPLE, is_active=True)
    order = sorted(rows, key=lambda user: (user.username != FOLLOWED, DEMO_PEOPLE.index(user.username)))
    return [(user, ", ".join(roles.get(user.pk, []))) for user in order]


def _panel(request: HttpRequest) -> TourPanel | None:
    number = request.session.get(KEY)
    if number is None:
        is_offered = request.path == reverse("reviews:inbox") and request.user.get_username() == FOLLOWED
        return TourPanel(0, None) if is_offered else None
    if not 1 <= number <= len(STEPS):
        return None
    step = STEPS[number - 1]
    target = step.address().partition("#")[0]
    return TourPanel(number, step, request.path == target, request.session.pop("tour_moved", False))


@require_http_methods(["GET", "POST"])
def tour(request: HttpRequest) -> HttpResponse:
    """`/tour/`: every step as a link; posting `step` goes there, and 0 ends the tour."""
    if request.method == "GET":
        return render(request, "trial/tour.html", {"steps": STEPS})
    asked = request.POST.get("step", "")
    number = int(asked) if asked.isdecimal() and int(asked) <= len(STEPS) else ENDED
    request.session[KEY] = number
    if number == ENDED:
        return HttpResponseRedirect(reverse("reviews:inbox"))
    request.session["tour_moved"] = True
    return HttpResponseRedirect(STEPS[number - 1].address())
