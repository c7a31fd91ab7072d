"""The locks of ticket sites: the site first, then its routes and accounts, then the head of the audit trail.

None of them locks a key: whoever stores a ticket refers to a site and a route, and the database asks for their keys at
the end of that transaction, which has the head.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from reviews.tickets.models import SiteState, TicketRoute, TicketSite
from weighbridge.core.errors import Invalid, WrongState


def locked_site(site: TicketSite) -> TicketSite:
    """The site as it is now, locked. Raises WrongState if it was removed."""
    row = TicketSite.objects.select_for_update(no_key=True).get(pk=site.pk)
    if row.state == SiteState.REMOVED:
        raise WrongState(f"{row.name} was removed.")
    return row


def locked_route(route: TicketRoute) -> TicketRoute:
    """The route as it is now, locked after its site. Raises WrongState if the site was removed."""
    site = locked_site(route.site)
    row = TicketRoute.objects.select_for_update(no_key=True).get(pk=route.pk)
    row.site = site
    return row


@contextmanager
def refused_if_taken(refusal: Invalid) -> Iterator[None]:
    """Raise `refusal` if another transaction has stored the same since the caller looked."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise refusal from error
