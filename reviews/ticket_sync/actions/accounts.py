"""Link accounts of a ticket site to users, so that moves by an account count as moves by its user."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from governance.audit.actions import record as audit
from governance.notifications.domain.events import Occurrence
from governance.notifications.outbox.notices import notify
from governance.people.actions.people import ALONE
from governance.people.queries.people import name_of, person_of
from governance.people.rules import check_manage_people
from reviews.ticket_sync.locking import locked_site
from reviews.ticket_sync.rules import need_site_manager
from reviews.tickets.models import ExternalIdentity, TicketSite
from reviews.tickets.ports import ACCOUNT_CHARS_MAX
from weighbridge.core.errors import Invalid


def link_account(
    *, site: TicketSite, user: User, account_id: str, by: User | None, now: datetime
) -> ExternalIdentity | None:
    """Link an account on a site to the user, who is told; "" removes the link, which is all that a closed account can.

    `by` is None for an operator on the server.
    """
    if by is not None:
        check_manage_people(person_of(by), user_id=user.pk)
    account_id = account_id.strip()
    if len(account_id) > ACCOUNT_CHARS_MAX:
        raise Invalid(f"An account id can have at most {ACCOUNT_CHARS_MAX} characters.", field="account_id")
    if account_id and not user.is_active:
        raise Invalid(f"The account {user.username} is closed: its link can only be removed.", field="user")
    with transaction.atomic():
        locked_site(site)  # so that nobody links the same account meanwhile
        accounts = ExternalIdentity.objects.filter(site=site)
        taken = accounts.filter(account_id=account_id).exclude(user=user).select_related("user").first()
        if taken is not None:
            raise Invalid(f"This account is linked to {taken.user}; remove that link first.", field="account_id")
        before = accounts.filter(user=user).values_list("account_id", flat=True).first() or ""
        row = None
        if account_id:
            row, _ = accounts.update_or_create(site=site, user=user, defaults={"account_id": account_id})
        else:
            accounts.filter(user=user).delete()
        if account_id != before:
            _notify_user(site, user, account_id, before, by, now)
        _record(site, user, account_id, by, now)
    return row


def unlink_all(*, site: TicketSite, by: User | None, now: datetime) -> int:
    """Remove every link of a site that gets another address, each as `link_account` does; returns how many."""
    need_site_manager(by)
    with transaction.atomic():
        accounts = ExternalIdentity.objects.filter(site=locked_site(site))
        linked = list(accounts.select_for_update(of=("self",)).select_related("user").order_by("pk"))
        accounts.delete()
        for row in linked:
            _notify_user(site, row.user, "", row.account_id, by, now)
        for row in linked:
            _record(site, row.user, "", by, now)
    return len(linked)


def _record(site: TicketSite, user: User, account_id: str, by: User | None, now: datetime) -> None:
    details, reason = {"account_id": account_id, "site": site.name}, "" if by else ALONE
    subject = ("person", user.username)
    audit.record(kind="person.identified", by=by, subject=subject, details=details, reason=reason, now=now)


def _notify_user(site: TicketSite, user: User, account_id: str, before: str, by: User | None, now: datetime) -> None:
    """Tell the user, because a move by the account counts as a move by them."""
    actor = name_of(by) if by else "An operator of the server"
    sentence = (
        f"{actor} linked the account {account_id} on {site.name} to you. Whoever moves a ticket with it acts in your "
        "name. If the account is not yours, tell an administrator at once."
        if account_id
        else f"{actor} removed the link of the account {before} on {site.name} to you."
    )
    event = Occurrence(
        kind="account",
        key=f"account:{site.pk}:{user.pk}:{now.isoformat()}",
        reference=site.name,
        path="/settings/",
        sentence=sentence,
    )
    notify(event=event, people=[user], by=by, now=now)
