"""A Celery worker in a process of its own, on the database of a test: `worker.py DATABASE FOLDER`."""

import os
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
django.setup()

from django.conf import settings  # noqa: E402 -- Django is set up first

from config.broker import options as brokers  # noqa: E402 -- Django is set up first
from config.celery import app  # noqa: E402 -- Django is set up first


def broker(folder: Path) -> dict[str, object]:
    """The filesystem transport in a folder of the test."""
    (folder / "broker").mkdir(exist_ok=True)
    return brokers.transport_options("filesystem://", folder=folder / "broker")


def main(database: str, folder: Path) -> None:
    """Serve both queues until told to stop."""
    settings.DATABASES["default"]["NAME"] = database
    artifacts = settings.STORAGES["artifacts"] | {"OPTIONS": {"location": folder / "artifacts"}}
    settings.STORAGES = settings.STORAGES | {"artifacts": artifacts}
    settings.FILE_UPLOAD_TEMP_DIR = folder / "uploads"
    settings.CELERY_BROKER_URL = "filesystem://"
    settings.WAKE_TRANSPORT_OPTIONS = broker(folder)
    app.conf.broker_url, app.conf.broker_transport_options = "filesystem://", broker(folder)
    app.worker_main(["worker", "--pool", "solo", "--queues", "load,effects", "--without-gossip", "--without-mingle"])


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
