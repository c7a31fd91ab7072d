"""Settings for production: HTTPS only, secrets from the environment, no unsafe defaults."""

from config import env, production
from config.settings.base import *  # noqa: F403 -- settings modules extend each other

SECRET_KEY = production.check_secret_key(env.text("WEIGHBRIDGE_SECRET_KEY"))
ALLOWED_HOSTS = production.check_hosts(env.names("WEIGHBRIDGE_HOSTS"))
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("WEIGHBRIDGE_PROXIES", is_required=True)
WEIGHBRIDGE["ALLOWS_DEMO"] = False  # noqa: F405 -- defined in base
WEIGHBRIDGE["ALLOWS_LOCAL_WEBHOOKS"] = False  # noqa: F405 -- defined in base
WEIGHBRIDGE["ALLOWS_PLAIN_HTTP"] = False  # noqa: F405 -- defined in base
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True

LOGGING["handlers"]["console"]["formatter"] = "json"  # noqa: F405 -- defined in base

_mail = production.mail_server(env.text("EMAIL_URL", "smtp://localhost:25"))
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.uses_tls_at_once, _mail.starts_tls
EMAIL_TIMEOUT = 15  # a server that says nothing must not hold up the worker, which delivers tickets and packets too
DEFAULT_FROM_EMAIL = SERVER_EMAIL = production.sender(env.text("EMAIL_FROM", ""), hosts=ALLOWED_HOSTS)
