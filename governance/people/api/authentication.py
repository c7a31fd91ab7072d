"""Who a program is: a bearer token of which only the hash is kept."""

import hashlib
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from governance.audit.domain import correlation as trace
from governance.people.domain.scopes import TokenScope, check_scope
from governance.people.models import ApiToken

USED_EVERY = timedelta(minutes=5)


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
        digest = hashlib.sha256(words[1].encode()).hexdigest()
        valid = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now))
        token = ApiToken.objects.select_related("user").filter(valid, digest=digest, user__is_active=True).first()
        if token is None:
            raise AuthenticationFailed("This token is unknown, expired or revoked; ask an administrator for a new one.")
        door = request.resolver_match.view_name if request.resolver_match else ""
        check_scope(TokenScope(token.scope), method=request.method or "", door=door)
        if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
        trace.mark_user(str(token.user.pk))
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return "Token"
