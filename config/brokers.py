"""How long the broker is waited for: workers have time, people have not.

A worker whose broker is slow waits, and connects again; a wake-up sent while a person waits for the page is given up
after half a second, because the row is kept and the tick finds it.
"""

from pathlib import Path
from typing import Any

Options = dict[str, Any]
CONNECT_S, ANSWER_S, WAKE_S = 5.0, 10.0, 0.5


def transport_options(url: str, *, folder: Path) -> Options:
    """What Celery's transport is told; `folder` is where the filesystem transport keeps its messages."""
    if url.startswith("filesystem"):
        control = str(folder / "control")
        return {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": control}
    if url.startswith("redis"):
        return {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S, "retry_on_timeout": True}
    return {}


def wake_options(url: str) -> Options:
    """What is different where a wake-up is sent."""
    if url.startswith("redis"):
        return {"socket_connect_timeout": WAKE_S, "socket_timeout": WAKE_S, "retry_on_timeout": False}
    return {"read_timeout": WAKE_S, "write_timeout": WAKE_S} if "amqp" in url.partition(":")[0] else {}
