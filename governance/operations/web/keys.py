"""The page of keys: what signs, what encrypts, and which stored secrets still need a former key."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from governance import secrets
from governance.audit.queries.keys import public_key
from governance.people.rules import check_operate
from governance.people.web.current_user import person_of
from weighbridge.core import attestation
from weighbridge.core.errors import Refused


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """`/settings/keys/`: the public half of the signing key, and stored secrets by the key that decrypts them."""
    check_operate(person_of(request))
    stored, public = secrets.stored(), _public_key()
    context = {
        "public_key": public,
        "key_id": attestation.key_id(public) if public else "",
        "stored": stored,
        "former_keys": secrets.former_keys(),
        "need_former": sum(each.former for each in stored.values()),
        "unreadable": sum(each.unreadable for each in stored.values()),
    }
    return render(request, "governance/operations/keys.html", context)


def _public_key() -> str:
    try:
        return public_key()
    except (OSError, Refused):
        return ""
