"""The page on which administrators link accounts of a ticket site to users."""

from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from governance.people.web.current_user import user_of
from governance.site.web.refusals import settled
from reviews.ticket_sync.actions.accounts import link_account
from reviews.ticket_sync.queries.asking import catalog
from reviews.ticket_sync.queries.sites import people_to_link
from reviews.ticket_sync.web.forms import AccountForm
from reviews.ticket_sync.web.steps import shown, site_of
from reviews.tickets.models import ExternalIdentity, TicketSite
from weighbridge.core.errors import Refused

SEARCHED_MAX = 25


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/people/`: which account is whose. Jira is searched by e-mail address on request."""
    site = site_of(request, site_id)
    form, status = AccountForm(request.POST or None, site=site), 200
    if request.method == "POST":

        def act() -> str:
            given = form.cleaned_data
            by, now = user_of(request), timezone.now()
            row = link_account(site=site, user=given["user"], account_id=given["account_id"], by=by, now=now)
            return f"{given['user']} is linked to {row.account_id}." if row else f"{given['user']} is not linked."

        done, status = settled(request, form, act)
        if done:
            return redirect("reviews:ticket_site_people", site.pk)
    linked = dict(ExternalIdentity.objects.filter(site=site).values_list("user_id", "account_id"))
    users = sorted(people_to_link(site), key=lambda user: user.username)
    kept, refusal = _searched(request, site, [user for user in users if user.email and user.pk not in linked])
    rows = [
        (user, linked.get(user.pk, ""), [] if user.pk in linked else kept["found"].get(str(user.pk), []))
        for user in users
    ]
    more: dict[str, Any] = {"rows": rows, "refusal": refusal, "after": kept["after"], "count": str(SEARCHED_MAX)}
    return shown(request, "site_people", site=site, step="Activate", form=form, status=status, **more)


def _searched(request: HttpRequest, site: TicketSite, users: list[User]) -> tuple[dict[str, Any], str]:
    """The accounts found so far by the ids of users, and after which user name to go on; why Jira was not searched.

    The session keeps both, so that linking one person loses nothing. A search without `after` begins anew.
    """
    key, after = f"accounts_found:{site.pk}:{site.base_url}", request.GET.get("after", "")
    kept = request.session.get(key, {"found": {}, "after": ""})
    if "search" not in request.GET:
        return kept, ""
    wanted = [user for user in users if user.username > after]
    asked, rest = wanted[:SEARCHED_MAX], wanted[SEARCHED_MAX:]
    try:
        with catalog(site) as jira:
            answers = {str(user.pk): [asdict(account) for account in jira.people(user.email)] for user in asked}
    except Refused as failure:
        return kept, failure.reason
    found = (kept["found"] if after else {}) | {pk: accounts for pk, accounts in answers.items() if accounts}
    kept = request.session[key] = {"found": found, "after": asked[-1].username if rest else ""}
    return kept, ""
