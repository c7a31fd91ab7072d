"""Permissions: `check_` functions raise with a reason, `may_` functions return a bool."""

from governance.people.domain.roles import Person, Role
from governance.people.rules import may, need_role
from weighbridge.core.errors import NotAllowed

LEADS = frozenset({Role.PLATFORM_LEAD, Role.ADMIN})


def check_report(person: Person) -> None:
    """Report what a cluster runs: requesters, platform leads and administrators."""
    need_role(person, Role.REQUESTER, *sorted(LEADS), to="report what a cluster runs")


def check_replace(person: Person, *, reporter_id: int, cluster: str) -> None:
    """Replace the report of a cluster: the account that sent the first, platform leads and administrators."""
    check_report(person)
    if person.id != reporter_id and person.roles.isdisjoint(LEADS):
        text = f"Another account reports the cluster {cluster}. Use its token, or report under another name."
        raise NotAllowed(f"{text} A platform lead can remove the cluster.")


def check_remove_cluster(person: Person) -> None:
    """Say that a cluster is gone: platform leads and administrators."""
    need_role(person, *sorted(LEADS), to="remove a cluster")


def check_report_usage(person: Person) -> None:
    """Report what a gateway counted: requesters, platform leads and administrators."""
    need_role(person, Role.REQUESTER, *sorted(LEADS), to="report the usage of a gateway")


def check_replace_usage(person: Person, *, reporter_id: int, gateway: str) -> None:
    """Replace lines of a gateway: the account that reported first, platform leads and administrators."""
    check_report_usage(person)
    if person.id != reporter_id and person.roles.isdisjoint(LEADS):
        text = f"Another account reports the gateway {gateway}. Use its token, or report under another name."
        raise NotAllowed(text)


may_remove_cluster = may(check_remove_cluster)
