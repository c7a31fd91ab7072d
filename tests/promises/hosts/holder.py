"""A process that has locked the head of the audit trail, on which every write waits, and does nothing more."""

import time

import django

django.setup()

from django.db import transaction  # noqa: E402 -- Django is set up first

from governance.audit.locking import lock_trail  # noqa: E402 -- Django is set up first

if __name__ == "__main__":
    with transaction.atomic():
        lock_trail()
        print("held", flush=True)
        time.sleep(600)
