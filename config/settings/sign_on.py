"""Single sign-on with an OpenID Connect provider: settings for allauth, and the allowed targets of forms."""

from typing import Any
from urllib.parse import urlsplit

PROVIDER_ID = "oidc"


def providers(*, server_url: str, client_id: str, secret: str, name: str) -> dict[str, Any]:
    """The settings of allauth for the provider."""
    settings = {"server_url": server_url}
    app = {"provider_id": PROVIDER_ID, "name": name, "client_id": client_id, "secret": secret, "settings": settings}
    return {"openid_connect": {"APPS": [app]}}


def form_targets(server_url: str) -> list[str]:
    """The allowed form targets for the content security policy: this site and, after a redirect, the provider."""
    parts = urlsplit(server_url)
    return ["'self'", f"{parts.scheme}://{parts.netloc}"] if parts.netloc else ["'self'"]
