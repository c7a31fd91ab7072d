"""Who a program is: a bearer token of which only the hash is kept."""

import hashlib
from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from governance.audit.domain import correlation as trace
from governance.people.domain.scopes import GATE, TokenScope, check_scope
from governance.people.models import ApiToken
from governance.people.queries.people import KEPT_MAX, gate_keeps_s
from governance.people.queries.tokens import valid_tokens
from governance.site.domain.memory import Kept

USED_EVERY = timedelta(minutes=5)


def valid_token(digest: str) -> ApiToken | None:
    """The token with this SHA-256 (hexadecimal), with its user, if both may be used now."""
    return valid_tokens(timezone.now()).filter(digest=digest).first()


kept_token = Kept(valid_token, seconds=gate_keeps_s, most=KEPT_MAX)
"""`valid_token` for the gate, which is asked most."""


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Token wb_…`. What its scope forbids is refused here, before anything else looks at the call."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The user and the token, or None where the request carries no token; NotAllowed beyond the token's scope."""
        words = get_authorization_header(request).decode("latin-1").split()
        if not words or words[0].lower() not in {"token", "bearer"}:
            return None
        if len(words) != 2:
            raise AuthenticationFailed("Write the header as: Authorization: Token YOUR_TOKEN.")
        now = timezone.now()
        door = request.resolver_match.view_name if request.resolver_match else ""
        find = kept_token if door == GATE else valid_token
        token = find(hashlib.sha256(words[1].encode()).hexdigest())
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked; ask an administrator for a new one.")
        check_scope(TokenScope(token.scope), method=request.method or "", door=door)
        if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
            token.last_used_at = now
            token.save(update_fields=["last_used_at"])
        trace.mark_user(str(token.user.pk))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Token"
