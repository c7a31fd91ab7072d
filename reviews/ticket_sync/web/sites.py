"""Pages on which administrators add, connect, test, activate and remove ticket sites."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from governance.people.web.current_user import person_of, user_of
from governance.site.web.refusals import attempt, refusals_shown, settled
from reviews.ticket_sync.actions import sites as writes
from reviews.ticket_sync.queries.asking import connection_health, detected
from reviews.ticket_sync.queries.sites import site_view
from reviews.ticket_sync.rules import check_credential, check_manage_sites
from reviews.ticket_sync.web.forms import AddressForm, CredentialForm, OptionsForm
from reviews.ticket_sync.web.steps import shown, site_of
from reviews.tickets import actions as effects
from reviews.tickets.models import Access, TicketSite
from reviews.tickets.ports import CheckStep
from reviews.tickets.queries.sites import shown_sites

FORM = ["GET", "HEAD", "POST"]


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """`/settings/tickets/`: the ticket sites, and where to add one."""
    check_manage_sites(person_of(request))
    views = [site_view(site) for site in shown_sites()]
    return render(request, "reviews/ticket_sync/sites.html", {"sites": views})


@require_http_methods(FORM)
def new(request: HttpRequest) -> HttpResponse:
    """`/settings/tickets/new/`: the address of a new site. The server says which flavor it is."""
    check_manage_sites(person_of(request))
    form = AddressForm(request.POST or None, initial={"name": "" if TicketSite.objects.exists() else "Jira"})
    status, made = 200, list[TicketSite]()
    if request.method == "POST":

        def act() -> str:
            given, by = form.cleaned_data, user_of(request)
            server = detected(given["base_url"])
            url, name = given["base_url"], given["name"]
            made.append(writes.add_site(name=name, url=url, server=server, by=by, now=timezone.now()))
            return f"{made[0].base_url} is {made[0].server}."

        done, status = settled(request, form, act)
        if done:
            return redirect("reviews:ticket_site_credential", made[0].pk)
    crumbs = [
        ("Integrations", reverse("governance:integrations")),
        ("Ticket sites", reverse("reviews:ticket_sites")),
        ("New site", ""),
    ]
    return render(request, "reviews/ticket_sync/site_new.html", {"form": form, "crumbs": crumbs}, status=status)


@require_safe
def detail(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/`: the state of a site, its routes, and the last step: to activate it."""
    return shown(request, "site", site=site_of(request, site_id), step="Activate")


@require_http_methods(FORM)
def address(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/address/`: name and address; the server is asked again what it is."""
    site = site_of(request, site_id)
    form = AddressForm(request.POST or None, initial={"name": site.name, "base_url": site.base_url})
    status = 200
    if request.method == "POST":

        def act() -> str:
            given, by = form.cleaned_data, user_of(request)
            server = detected(given["base_url"])
            name, url = given["name"], given["base_url"]
            row = writes.change_site(site=site, name=name, url=url, server=server, by=by, now=timezone.now())
            return f"{row.base_url} is {row.server}."

        done, status = settled(request, form, act)
        if done:
            return redirect("reviews:ticket_site_credential", site.pk)
    return shown(request, "site_step", site=site, step="Address", form=form, status=status)


@sensitive_post_parameters("credential")
@never_cache
@require_http_methods(FORM)
def credential(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/credential/`: enter or replace the credential. It is stored once Jira accepts it."""
    site = site_of(request, site_id)
    is_cloud = site.flavor == "cloud"
    form = CredentialForm(request.POST or None, initial={"account": site.account}, is_cloud=is_cloud)
    status, steps = 200, list[CheckStep]()
    if request.method == "POST":

        def act() -> str:
            access = Access.ACCOUNT if is_cloud else Access.TOKEN
            given = {"access": access, "account": form.cleaned_data.get("account", "")}
            given["credential"] = form.cleaned_data["credential"]
            check_credential(site=site, **given)
            health = connection_health(site, account=given["account"].strip(), given=given["credential"].strip())
            steps.extend(health.steps)
            writes.store_credential(site=site, health=health, by=user_of(request), now=timezone.now(), **given)
            return health.words

        done, status = settled(request, form, act)
        if done:
            route = site.routes.first()
            return redirect("reviews:ticket_site", site.pk) if route else redirect("reviews:ticket_route_new", site.pk)
    return shown(request, "site_step", site=site, step="Credential", form=form, status=status, answers=steps)


@never_cache
@require_http_methods(FORM)
def webhook(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/webhook/`: the address and the secret for Jira. A new secret is shown this once."""
    site = site_of(request, site_id)
    secret = ""
    if request.method == "POST":
        with refusals_shown(request):
            secret = writes.renew_webhook_secret(site=site, by=user_of(request), now=timezone.now())
        site.refresh_from_db()
    options = OptionsForm(initial={"comparison": site.comparison, "settle_s": site.settle_s})
    return shown(request, "site_webhook", site=site, step="Webhook", secret=secret, options=options)


@require_POST
def options(request: HttpRequest, site_id: int) -> HttpResponse:
    """Set what the comparison does and how long the search lags."""
    site = site_of(request, site_id)
    form = OptionsForm(request.POST)

    def act() -> str:
        writes.set_options(site=site, by=user_of(request), now=timezone.now(), **form.cleaned_data)
        return "Saved."

    done, status = settled(request, form, act)
    if done:
        return redirect("reviews:ticket_site_webhook", site.pk)
    return shown(request, "site_webhook", site=site, step="Webhook", secret="", options=form, status=status)


@require_POST
def drop_secret(request: HttpRequest, site_id: int) -> HttpResponse:
    """Accept the new secret of the webhook alone."""
    site = site_of(request, site_id)
    _attempt(request, lambda **by: writes.drop_old_webhook_secret(site=site, **by), "The old secret is not valid.")
    return redirect("reviews:ticket_site_webhook", site.pk)


@require_POST
def test(request: HttpRequest, site_id: int) -> HttpResponse:
    """Request a test of the connection with every route."""
    site, now = site_of(request, site_id), timezone.now()
    effects.request_test(site=site, occasion=now.isoformat(), by=user_of(request), now=now)
    messages.success(request, "The connection is being tested. The result will appear here.")
    return redirect("reviews:ticket_site", site.pk)


@require_POST
def activate(request: HttpRequest, site_id: int) -> HttpResponse:
    """Open tickets in the site from now on. A site that was changed since its last test is tested first."""
    site = site_of(request, site_id)

    def write(**by: Any) -> None:
        if site.credential is not None and site.is_ok is None and site.routes.exists():
            effects.record_health(site=site, health=connection_health(site), **by)
        writes.activate_site(site=site, **by)

    _attempt(request, write, f"{site.name} is active.")
    return redirect("reviews:ticket_site", site.pk)


@require_POST
def remove(request: HttpRequest, site_id: int) -> HttpResponse:
    """Remove the site, and on request cancel what waits for it. The page explains a refusal."""
    site, removed, cancels = site_of(request, site_id), [], "cancel" in request.POST

    def write(**by: Any) -> None:
        removed.append(writes.remove_site(site=site, cancels_waiting=cancels, **by))

    _attempt(request, write, f"{site.name} is removed.")
    return redirect("reviews:ticket_sites") if removed else redirect("reviews:ticket_site", site.pk)


def _attempt(request: HttpRequest, write: Any, sentence: str) -> None:
    def act() -> str:
        write(by=user_of(request), now=timezone.now())
        return sentence

    attempt(request, act)
