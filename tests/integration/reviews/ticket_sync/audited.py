"""How to call every write about ticket sites and routes; `tests/integration/test_every_action_is_audited.py`."""

from collections.abc import Callable, Mapping
from datetime import datetime

from reviews.ticket_sync.actions import routes, sites
from reviews.ticket_sync.actions.routes import RouteSpec
from reviews.tickets import actions as effects
from reviews.tickets.domain.atlassian import OAuthApp, OAuthTokens
from reviews.tickets.domain.field_values import FieldKind, FieldTarget
from reviews.tickets.models import SiteState, TicketRoute, TicketSite
from reviews.tickets.ports import TrackerHealth, TrackerServer
from tests.factories import tickets as made
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]
SERVER = TrackerServer(flavor="cloud", version="1001.0.0", words="Jira Cloud", signs_webhooks=True)
GOOD = TrackerHealth(ok=True, sentence="Connected.", account="Weighbridge")
SPEC = RouteSpec(project="MR", issue_type="Task")
APP = OAuthApp(client_id="an-app", client_secret="a-secret-0123")
CREDENTIAL = {"access": "account", "account": "bot@example.org", "credential": "a-token-0123"}


def tokens(now: datetime) -> OAuthTokens:
    return OAuthTokens(access="an-access", refresh="a-refresh", expires_at=now)


def in_setup(now: datetime) -> TicketSite:
    site = made.make_site(now=now, state=SiteState.SETUP)
    made.make_route(site)
    return site


def rotated(now: datetime) -> TicketSite:
    site = made.make_site(now=now, webhook="the first")
    sites.renew_webhook_secret(site=site, by=None, now=now)
    return site


def a_route(now: datetime) -> TicketRoute:
    return made.make_routed_site(now=now).routes.get()


def second_route(now: datetime) -> TicketRoute:
    return made.make_route(made.make_routed_site(now=now), work="review")


def _of(name: str, call: Callable[[Cast, datetime], object]) -> tuple[str, Call]:
    return f"reviews.ticket_sync.actions.{name}", call


ACTIONS: Mapping[str, Call] = dict(
    [
        _of(
            "sites.add_site",
            lambda cast, now: sites.add_site(name="J", url=made.URL, server=SERVER, by=cast.admin, now=now),
        ),
        _of(
            "sites.change_site",
            lambda cast, now: sites.change_site(
                site=made.make_site(now=now), name="K", url=made.URL, server=SERVER, by=cast.admin, now=now
            ),
        ),
        _of(
            "sites.store_credential",
            lambda cast, now: sites.store_credential(
                site=made.make_site(now=now), health=GOOD, by=cast.admin, now=now, **CREDENTIAL
            ),
        ),
        _of(
            "sites.store_grant",
            lambda cast, now: sites.store_grant(
                site=made.make_site(now=now),
                app=APP,
                tokens=tokens(now),
                cloud_id="1",
                health=GOOD,
                by=cast.admin,
                now=now,
            ),
        ),
        (
            "reviews.tickets.actions.access_token",
            lambda cast, now: effects.access_token(
                site=made.make_connected_site(now=now).site, refused="", renewed=lambda _: tokens(now), now=now
            ),
        ),
        _of(
            "sites.set_options",
            lambda cast, now: sites.set_options(
                site=made.make_site(now=now), settle_s=9, comparison="push", by=cast.admin, now=now
            ),
        ),
        _of(
            "sites.renew_webhook_secret",
            lambda cast, now: sites.renew_webhook_secret(site=made.make_site(now=now), by=cast.admin, now=now),
        ),
        _of(
            "sites.drop_old_webhook_secret",
            lambda cast, now: sites.drop_old_webhook_secret(site=rotated(now), by=cast.admin, now=now),
        ),
        _of(
            "sites.activate_site",
            lambda cast, now: sites.activate_site(site=in_setup(now), by=cast.admin, now=now),
        ),
        _of(
            "sites.remove_site",
            lambda cast, now: sites.remove_site(site=made.make_routed_site(now=now), by=cast.admin, now=now),
        ),
        (
            "reviews.tickets.actions.cancel_waiting",
            lambda cast, now: effects.cancel_waiting(site=made.make_routed_site(now=now), by=cast.admin, now=now),
        ),
        _of(
            "routes.add_route",
            lambda cast, now: routes.add_route(site=made.make_site(now=now), spec=SPEC, by=cast.admin, now=now),
        ),
        _of(
            "routes.change_route",
            lambda cast, now: routes.change_route(route=a_route(now), spec=SPEC, by=cast.admin, now=now),
        ),
        _of(
            "routes.map_fields",
            lambda cast, now: routes.map_fields(
                route=a_route(now),
                field_map={"tier": FieldTarget("customfield_1", FieldKind.TEXT)},
                fields={},
                by=cast.admin,
                now=now,
            ),
        ),
        _of(
            "routes.map_statuses",
            lambda cast, now: routes.map_statuses(
                route=a_route(now), statuses={"in_review": "In Review"}, moves={}, by=cast.admin, now=now
            ),
        ),
        _of(
            "routes.remove_route",
            lambda cast, now: routes.remove_route(route=second_route(now), by=cast.admin, now=now),
        ),
    ]
)
