"""The Django application `accounts`."""

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Names the application."""

    name = "governance.accounts"

    def ready(self) -> None:
        """Listen to what happens to accounts in every process: pages, admin and commands alike."""
        import_module("governance.accounts.web.account_events")
        import_module("governance.accounts.web.session_limits")
