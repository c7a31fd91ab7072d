"""The Django application `benchmarking`."""

from django.apps import AppConfig


class BenchmarkingConfig(AppConfig):
    """Names the application."""

    name = "benchmarking"
