"""The tables of the project, for tests that look at all of them."""

from django.apps import apps
from django.db.models import Model

PACKAGES = ("governance", "benchmarking", "reviews")
"""The packages whose subjects are Django applications."""


def own_labels() -> list[str]:
    """The labels of the project's own applications."""
    return [config.label for config in apps.get_app_configs() if config.name.partition(".")[0] in PACKAGES]


def own_models() -> list[type[Model]]:
    """Every model of the project's own applications."""
    return [model for label in own_labels() for model in apps.get_app_config(label).get_models()]
