"""A rolling upgrade: first the tables, then one host after the other, while people are at work with both versions."""

import os
import subprocess
import sys
from typing import Any

from governance.jobs.enums import JobState
from governance.jobs.models import OutboxMessage
from tests.promises.hosts.network import ROOT, Host
from tests.promises.hosts.next_version.apps import KIND

NEXT = {"TRIAL_VERSION": "next"}


def upgrade(host: Host) -> None:
    """Restart the host with the next version, which first finds or makes its tables."""
    migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(migrate, cwd=ROOT, env={**os.environ, **NEXT}, check=True)
    commands = host.commands.items()
    host.commands = {process: (command, environment | NEXT) for process, (command, environment) in commands}
    host.restart()


def is_done() -> bool:
    """Whether every message of the new kind is delivered."""
    return not OutboxMessage.objects.filter(kind=KIND).exclude(state=JobState.DONE).exists()


def figures() -> dict[str, Any]:
    """The messages of the new kind, and how many of them a process of the old version tried in vain."""
    messages = OutboxMessage.objects.filter(kind=KIND)
    return {"messages": messages.count(), "tried_in_vain": messages.filter(attempts__gt=1).count()}
