"""The Django application `accounts`."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Configuration of the application."""

    name = "governance.accounts"

    def ready(self) -> None:
        """Connect the signal handlers in all processes: web, admin and commands."""
        import_module("governance.accounts.web.account_events")
        import_module("governance.accounts.web.session_limits")
