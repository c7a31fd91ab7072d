"""The Django application `governance`."""

from importlib import import_module

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Names the application."""

    name = "governance"

    def ready(self) -> None:
        """Listen to what happens to accounts in every process: pages, admin and commands alike."""
        import_module("governance.web.account_events")
        import_module("governance.web.session_limits")
