"""A ticket site as pages show it: without its secrets."""

from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from reviews.tickets.jira.flavors import FLAVORS, numbers_in
from reviews.tickets.models import ExternalIdentity, SiteState, TicketRoute, TicketSite
from reviews.tickets.ports import CheckStep
from reviews.tickets.queries.sites import test_under_way, waiting_tickets


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """A site, its routes, what its last test found, and what its version cannot do."""

    site: TicketSite
    routes: tuple[TicketRoute, ...]
    steps: tuple[CheckStep, ...]
    limits: tuple[str, ...]
    under_way: OutboxMessage | None
    waiting: int
    callback_url: str
    webhook_url: str
    has_webhook: bool

    @property
    def sentence(self) -> str:
        """The first problem that the last test found, or its last answer; "" before the first test."""
        problems = [step.sentence for step in self.steps if not step.ok]
        return next(iter(problems), self.steps[-1].sentence if self.steps else "")

    @property
    def is_testing(self) -> bool:
        """Whether a test is running or about to; a paused one waits for a person."""
        return self.under_way is not None and self.under_way.state != JobState.PAUSED

    @property
    def cancel_words(self) -> str:
        """What the button says that removes the site with the messages that wait for it."""
        return f"Cancel {self.waiting} waiting message{'s' if self.waiting != 1 else ''} and remove"

    @property
    def badge(self) -> tuple[str, str]:
        """State and word of its badge."""
        if self.site.state == SiteState.SETUP:
            return "pending", "Being set up"
        if self.site.is_ok is None:
            return "indeterminate", "Not tested"
        return ("active", "Connected") if self.site.is_ok else ("failed", "Not working")


def site_view(site: TicketSite) -> SiteView:
    """The site as pages show it."""
    return SiteView(
        site=site,
        routes=tuple(site.routes.all()),
        steps=tuple(CheckStep(step["name"], step["ok"], step["sentence"]) for step in site.steps),
        limits=FLAVORS[site.flavor].limits(numbers_in(site.version)),
        under_way=test_under_way(site),
        waiting=waiting_tickets(site),
        callback_url=f"{settings.WEIGHBRIDGE['BASE_URL']}/settings/tickets/{site.pk}/oauth/callback/",
        webhook_url=f"{settings.WEIGHBRIDGE['BASE_URL']}/hooks/jira/{site.pk}/",
        has_webhook=site.webhook_secret is not None,
    )


def people_to_link(site: TicketSite) -> QuerySet[User]:
    """Everybody who can be linked to an account of the site, and who is although their own account is closed."""
    linked = ExternalIdentity.objects.filter(site=site).values("user")
    return User.objects.filter(Q(is_active=True) | Q(pk__in=linked)).order_by("username")
