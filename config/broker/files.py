"""The filesystem transport of Kombu, except that nobody reads a file that another process is still writing.

Kombu writes messages and tables of queues in place. A worker that reads a half-written one ends with an error; a
process that is killed while it writes leaves one behind.
"""

import fcntl
import logging
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem, virtual
from kombu.transport.filesystem import exchange_queue_t
from kombu.utils.json import dumps

log = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    """Files appear whole. A message that cannot be read is dropped: the rows in the database decide what is done."""

    def _put(self, *given: Any, **_: Any) -> None:
        """Write the message under another name, and rename it."""
        queue, message = given
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write(Path(self.data_folder_out) / name, dumps(message))

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The next message that can be read; raise Empty if there is none."""
        while True:
            try:
                return super()._get(queue)
            except ValueError as error:
                log.warning("A message of the queue %s cannot be read and is dropped: %s", queue, error)

    def _queue_bind(self, exchange: str, routing_key: str | None, pattern: str | None, queue: str | None) -> None:
        """Add the queue to the table of the exchange."""
        bound = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table_of(exchange) as queues:
            if bound not in queues:
                queues.insert(0, bound)

    def _delete(self, queue: str, exchange: str, routing_key: str, pattern: str, *_: Any, **__: Any) -> None:
        """Remove the messages of the queue, and the queue from the table of the exchange."""
        self._purge(queue)
        bound = exchange_queue_t(routing_key or "", pattern or "", queue or "")
        with self._table_of(exchange) as queues:
            queues[:] = [each for each in queues if each != bound]

    @contextmanager
    def _table_of(self, exchange: str) -> Iterator[list[Any]]:
        """The queues of the exchange, which only this process changes meanwhile."""
        try:
            self.control_folder.mkdir(exist_ok=True)
            with (self.control_folder / "lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                before = self.get_table(exchange)
                queues = list(before)
                yield queues
                if queues != before:
                    _write(self.control_folder / f"{exchange}.exchange", dumps(queues))
        except OSError as error:
            raise ChannelError(f"The table of the exchange {exchange} cannot be changed: {error}") from error


def _write(path: Path, text: str) -> None:
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_text(text)
        part.replace(path)
    except OSError as error:
        raise ChannelError(f"{path} cannot be written: {error}") from error


class Transport(filesystem.Transport):
    """The transport with these channels."""

    Channel = Channel
    global_state = virtual.BrokerState()

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """No host: a folder has none, and Kombu would log that it takes localhost, as if another broker were meant."""
        return {}


def install() -> None:
    """Use this transport for the URL `filesystem://`."""
    TRANSPORT_ALIASES["filesystem"] = "config.broker.files:Transport"
