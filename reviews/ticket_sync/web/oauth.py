"""The pages on which an administrator gives Weighbridge access to a site of Jira Cloud by OAuth 2.0."""

import secrets as random
from dataclasses import asdict

from csp.decorators import csp_update
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from governance import secrets
from governance.people.web.current_user import user_of
from governance.site.web.refusals import refusals_shown, show_in
from reviews.ticket_sync.actions import sites as writes
from reviews.ticket_sync.queries.asking import consented, consented_health
from reviews.ticket_sync.queries.connections import atlassian_for, stored_token
from reviews.ticket_sync.queries.sites import site_view
from reviews.ticket_sync.rules import check_app
from reviews.ticket_sync.web.forms import AppForm
from reviews.ticket_sync.web.steps import shown, site_of
from reviews.tickets.domain.atlassian import CONSENT_WITHIN, Consent, OAuthApp, consent_problem
from reviews.tickets.models import OAuthGrant, TicketSite
from weighbridge.core.errors import Invalid, Refused, WrongState
from weighbridge.core.masking import hide_secrets

FORM = ["GET", "HEAD", "POST"]
CONSENT = "ticket_site_consent"
"""Where the session of the person stores what was begun: nobody else can end it, and each answer counts once."""
STATE_BYTES = 32


@sensitive_post_parameters("client_secret")
@never_cache
@require_http_methods(FORM)
def page(request: HttpRequest, site_id: int) -> HttpResponseBase:
    """`/settings/tickets/ID/oauth/`: the app of the organization. The button leads to Atlassian's page of consent."""
    site = _cloud_site(request, site_id)
    grant = OAuthGrant.objects.filter(site=site).first()
    initial = {"client_id": grant.client_id if grant is not None else ""}
    form = AppForm(request.POST or None, initial=initial, is_stored=grant is not None)
    hosts, status = atlassian_for(site).hosts, 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                return redirect(_begun(request, site, grant, **form.cleaned_data))
            except Refused as refusal:
                show_in(form, refusal)
    answer = shown(request, "site_step", site=site, step="Credential", form=form, status=status)
    # Browsers apply the policy of the page also to where its form is redirected to.
    return csp_update({"form-action": [hosts.auth]})(lambda _: answer)(request)


@never_cache
@require_safe
def callback(request: HttpRequest, site_id: int) -> HttpResponse:
    """`/settings/tickets/ID/oauth/callback/`: what the person answered on Atlassian's page of consent."""
    site = _cloud_site(request, site_id)
    code, state = request.GET.get("code", ""), request.GET.get("state", "")
    with refusals_shown(request):
        messages.success(request, _connected(request, site, code=code, state=state))
        return redirect("reviews:ticket_site" if site.routes.exists() else "reviews:ticket_route_new", site.pk)
    return redirect("reviews:ticket_site_oauth", site.pk)


def _cloud_site(request: HttpRequest, site_id: int) -> TicketSite:
    site = site_of(request, site_id)
    if site.flavor != "cloud":
        raise Http404
    return site


@sensitive_variables("client_secret", "consent")
def _begun(
    request: HttpRequest, site: TicketSite, grant: OAuthGrant | None, *, client_id: str, client_secret: str
) -> str:
    """Store in the session what was begun. Returns the address of the page of consent."""
    if not client_secret and grant is not None:
        if client_id != grant.client_id:
            raise Invalid("The stored secret is that of another app: enter the secret.", field="client_secret")
        client_secret = stored_token(site)
    hide_secrets(client_secret)
    check_app(site=site, client_id=client_id, client_secret=client_secret)
    consent = Consent(
        site=site.pk,
        state=random.token_urlsafe(STATE_BYTES),
        client_id=client_id,
        client_secret=secrets.encrypt(client_secret).decode(),
        expires_at=(timezone.now() + CONSENT_WITHIN).isoformat(),
    )
    request.session[CONSENT] = asdict(consent)
    hosts, view = atlassian_for(site).hosts, site_view(site)
    return hosts.consent_url(client_id=client_id, callback=view.callback_url, state=consent.state)


def _connected(request: HttpRequest, site: TicketSite, *, code: str, state: str) -> str:
    """Exchange the code, test the access, and store it. Returns what the test found."""
    stored = request.session.get(CONSENT)
    consent = Consent(**stored) if stored is not None else None
    problem = consent_problem(consent, site=site.pk, state=state, now=timezone.now())
    if problem or consent is None:
        raise WrongState(problem)
    del request.session[CONSENT]
    request.session.save()  # before anything is asked, so that the same answer does not count again meanwhile
    if not code:
        raise WrongState("Atlassian gave no access, because it was not accepted there: connect again, and accept.")
    app = OAuthApp(client_id=consent.client_id, client_secret=secrets.decrypt(consent.client_secret.encode()))
    hide_secrets(code, state, app.client_secret)
    tokens, found = consented(site, app=app, code=code, callback=site_view(site).callback_url)
    health = consented_health(site, tokens=tokens, found=found)
    writes.store_grant(
        site=site,
        app=app,
        tokens=tokens,
        cloud_id=found.cloud_id,
        health=health,
        by=user_of(request),
        now=timezone.now(),
    )
    return health.words
