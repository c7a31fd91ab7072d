"""Time-outs of the broker connection: long for workers, short for web requests.

A worker waits for a slow broker and reconnects. A wake-up that is sent during a web request gives up after half a
second, because the row is stored and the tick will find it.
"""

from pathlib import Path
from typing import Any

Options = dict[str, Any]
CONNECT_S, ANSWER_S, WAKE_S = 5.0, 10.0, 0.5
# A worker takes one message each time it looks into the folder.
LOOK_S = 0.1


def transport_options(url: str, *, folder: Path) -> Options:
    """The transport options of Celery. `folder` stores the messages of the filesystem transport."""
    if url.startswith("filesystem"):
        folders = {"data_folder_in": str(folder), "data_folder_out": str(folder)}
        return folders | {"control_folder": str(folder / "control"), "polling_interval": LOOK_S}
    if url.startswith("redis"):
        return {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S, "retry_on_timeout": True}
    return {}


def wake_options(url: str) -> Options:
    """The different transport options for sending a wake-up."""
    if url.startswith("redis"):
        return {"socket_connect_timeout": WAKE_S, "socket_timeout": WAKE_S, "retry_on_timeout": False}
    return {"read_timeout": WAKE_S, "write_timeout": WAKE_S} if "amqp" in url.partition(":")[0] else {}
