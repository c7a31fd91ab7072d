"""The Django application `governance`."""

from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    """Names the application."""

    name = "governance"
