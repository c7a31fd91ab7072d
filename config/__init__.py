"""The roof: settings, URLs, the Celery application; sees all rooms and is imported by none."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
