"""Permissions of ticket sites, and what a credential can be."""

from django.contrib.auth.models import User

from governance.people.domain.roles import Person, Role
from governance.people.queries.people import person_of
from governance.people.rules import may, need_role
from reviews.tickets.models import CLIENT_ID_CHARS_MAX, Access, TicketSite
from weighbridge.core.errors import Invalid

ACCOUNT_CHARS_MAX, CREDENTIAL_CHARS_MAX = 254, 4_000


def check_manage_sites(person: Person) -> None:
    """Set up, change, test and remove ticket sites, and read their settings: administrators."""
    need_role(person, Role.ADMIN, to="set up ticket sites")


def need_site_manager(by: User | None) -> None:
    """The same, for whoever acts: `by` is None for an operator on the server, who may."""
    if by is not None:
        check_manage_sites(person_of(by))


def check_credential(*, site: TicketSite, access: str, account: str, credential: str) -> None:
    """Raise Invalid for a credential that this flavor cannot have, before it is sent anywhere."""
    wanted = Access.TOKEN if site.flavor == "data_center" else Access.ACCOUNT
    if access != wanted:
        raise Invalid(f"{site.server} takes this credential: {wanted.label}.", field="access")
    if wanted is Access.ACCOUNT and "@" not in account:
        raise Invalid("Enter the e-mail address of the account that the API token belongs to.", field="account")
    if wanted is Access.TOKEN and account.strip():
        raise Invalid("A personal access token names its account itself: leave the account empty.", field="account")
    if len(account) > ACCOUNT_CHARS_MAX or ":" in account:
        raise Invalid("This is not an e-mail address.", field="account")
    token = credential.strip()
    if not token or len(token) > CREDENTIAL_CHARS_MAX or not token.isascii() or not token.isprintable():
        raise Invalid("Enter the token as Jira showed it, in one line.", field="credential")


def check_app(*, site: TicketSite, client_id: str, client_secret: str) -> None:
    """Raise Invalid for an app that no site of this flavor can have, before it is sent anywhere."""
    if site.flavor != "cloud":
        raise Invalid(f"{site.server} takes no app of Atlassian: store a personal access token.")
    for field, value, chars_max in (
        ("client_id", client_id, CLIENT_ID_CHARS_MAX),
        ("client_secret", client_secret, CREDENTIAL_CHARS_MAX),
    ):
        if not 0 < len(value) <= chars_max or not value.isascii() or not value.isprintable():
            raise Invalid("Enter it as developer.atlassian.com shows it, in one line.", field=field)


may_manage_sites = may(check_manage_sites)
