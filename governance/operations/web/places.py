"""The pages beside the main bar, each with its permission: for the user menu, the settings and the palette."""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.urls import reverse

from governance.bills.rules import may_see_bills
from governance.notifications.rules import may_read_webhooks
from governance.people.domain.roles import Person, Role
from governance.people.rules import may_manage_people, may_operate, may_read_changes, may_read_trail
from governance.site.web.navigation import NavigationEntry, entry

OWN, CONNECTIONS, RULES = "You", "Connections", "Rules, people and records"
GROUPS = (OWN, CONNECTIONS, RULES)
"""The groups of the page of settings."""


def _everybody(person: Person) -> bool:
    return True


def _admin(person: Person) -> bool:
    return person.has_role(Role.ADMIN)


@dataclass(frozen=True)
class SitePlace:
    """A page: its title, what can be done there, and the name of its address.

    `group` is its group in the settings and `menu` its word in the user menu; empty: it is not there. The page of
    `tables` is for accounts that `may_see_tables`.
    """

    title: str
    text: str
    name: str
    is_open: Callable[[Person], bool] = _everybody
    group: str = ""
    menu: str = ""
    tables: bool = False

    @property
    def url(self) -> str:
        """The address."""
        return reverse(self.name)


PLACES = (
    SitePlace("Notifications", "What you were told.", "governance:notifications", menu="Notifications"),
    SitePlace(
        "Notification settings",
        "What you are told, where, and how soon.",
        "governance:notification_settings",
        group=OWN,
    ),
    SitePlace(
        "Absences",
        "When you are away, and who acts in your place.",
        "governance:absences",
        group=OWN,
        menu="Absences",
    ),
    SitePlace(
        "Saved views",
        "Lists with filters that you named, or that a team shares.",
        "governance:saved_views",
        group=OWN,
        menu="Saved views",
    ),
    SitePlace("Password", "Change your password.", "account_change_password", group=OWN),
    SitePlace("Second factor", "Authenticator apps, passkeys and recovery codes.", "mfa_index", group=OWN),
    SitePlace("Settings", "What you can set, and what keeps the installation running.", "governance:settings"),
    SitePlace("Help", "What each page is for.", "governance:help"),
    SitePlace(
        "Integrations",
        "What waits for other systems or failed, and why.",
        "governance:integrations",
        group=CONNECTIONS,
        menu="Integrations",
    ),
    SitePlace(
        "Jira", "Sites, credentials, projects, fields and statuses.", "reviews:ticket_sites", _admin, CONNECTIONS
    ),
    SitePlace(
        "Chats and webhooks",
        "Slack, Microsoft Teams, and programs of teams.",
        "governance:webhooks",
        may_read_webhooks,
        CONNECTIONS,
        menu="Webhooks",
    ),
    SitePlace(
        "Health and mail",
        "Whether the database, the workers, the clock and mail work.",
        "governance:health",
        may_operate,
        CONNECTIONS,
    ),
    SitePlace(
        "Keys",
        "What signs and encrypts, and which stored secrets need a former key.",
        "governance:keys",
        may_operate,
        CONNECTIONS,
    ),
    SitePlace("Workers", "Machines that measure.", "benchmarking:workers", group=CONNECTIONS),
    SitePlace("Sandbox", "How uploaded models are isolated.", "benchmarking:sandbox", group=CONNECTIONS),
    SitePlace("Policies and checklists", "What needs a review, and who decides.", "governance:policies", group=RULES),
    SitePlace("Prices", "The price book and negotiated rates.", "benchmarking:prices", group=RULES),
    SitePlace(
        "Changes",
        "Roles, budgets, keys and rules that two people change.",
        "governance:changes",
        may_read_changes,
        RULES,
        menu="Changes",
    ),
    SitePlace("Audit trail", "Every step, in a hash chain.", "governance:audit", may_read_trail, RULES, menu="Audit"),
    SitePlace("People", "Accounts, roles and second factors.", "governance:people", may_manage_people, RULES),
    SitePlace("Tables", "Every table, to read; accounts of people, to edit.", "admin:index", group=RULES, tables=True),
    SitePlace("Findings", "Problems that a person must look into.", "governance:findings"),
    SitePlace("Runs", "Measurements of models.", "benchmarking:runs"),
    SitePlace("Evaluation sets", "The data on which models are measured.", "benchmarking:datasets"),
    SitePlace("What runs", "Models that clusters report.", "reviews:workloads"),
    SitePlace("Usage", "Tokens that gateways report.", "reviews:usage"),
    SitePlace("Scorecard", "Figures of what models gain.", "reviews:scorecard"),
    SitePlace("Bills", "Bills of cloud providers.", "governance:bills", may_see_bills),
)


def may_see_tables(user: User) -> bool:
    """Whether the account may open some table in Django's admin: no role gives this, the admin's own permissions do."""
    return user.is_staff and (user.is_superuser or bool(user.get_all_permissions()))


def open_places(*, person: Person, sees_tables: bool) -> tuple[SitePlace, ...]:
    """The pages that the person may open; `sees_tables`: see `may_see_tables`."""
    return tuple(place for place in PLACES if place.is_open(person) and (sees_tables or not place.tables))


def menu_of(*, person: Person, path: str) -> tuple[NavigationEntry, ...]:
    """The entries of the user menu that the person may open, with the current one marked."""
    return tuple(
        entry(place.menu, place.url, path) for place in open_places(person=person, sees_tables=False) if place.menu
    )
