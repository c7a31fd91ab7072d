"""Signing on through an OpenID Connect provider: what the settings say of it, and where the log-in form may lead."""

from typing import Any
from urllib.parse import urlsplit

PROVIDER_ID = "oidc"


def providers(*, server_url: str, client_id: str, secret: str, name: str) -> dict[str, Any]:
    """allauth's description of the one provider of an installation."""
    settings = {"server_url": server_url}
    app = {"provider_id": PROVIDER_ID, "name": name, "client_id": client_id, "secret": secret, "settings": settings}
    return {"openid_connect": {"APPS": [app]}}


def form_targets(server_url: str) -> list[str]:
    """Where forms may lead under the content policy: here, and by redirect to the provider, if there is one."""
    parts = urlsplit(server_url)
    return ["'self'", f"{parts.scheme}://{parts.netloc}"] if parts.netloc else ["'self'"]
