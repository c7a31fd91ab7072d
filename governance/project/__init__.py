"""The roof: settings, URLs, the Celery application; sees all rooms and is imported by none."""
