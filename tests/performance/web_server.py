"""Gunicorn under production settings, for tests that measure the application from outside."""

import contextlib
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "DJANGO_SETTINGS_MODULE": "config.settings.prod",
    "WEIGHBRIDGE_HOSTS": "127.0.0.1",
    "WEIGHBRIDGE_PROXIES": "1",
    "WEIGHBRIDGE_BASE_URL": "https://127.0.0.1",
}


@contextlib.contextmanager
def serving(
    folder: Path, environment: dict[str, str], *, options: Sequence[str], before: Sequence[str] = ()
) -> Iterator[int]:
    """The port of gunicorn with these options; `before` is a command that starts it, such as taskset."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = environment | PRODUCTION | {"WEIGHBRIDGE_SECRET_KEY": secrets.token_urlsafe(60)}
    command = [*before, sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", *options]
    with (folder / "web.log").open("wb") as log:
        web = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log)
    try:
        deadline_s = time.monotonic() + 60
        while not is_well(port):
            assert web.poll() is None, (folder / "web.log").read_text()
            assert time.monotonic() < deadline_s, (folder / "web.log").read_text()
            time.sleep(0.1)
        yield port
    finally:
        web.terminate()
        web.wait(30)


def is_well(port: int) -> bool:
    """Whether the server answers."""
    with contextlib.suppress(OSError), contextlib.closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/livez", headers={"X-Forwarded-Proto": "https"})
        return connection.getresponse().status == 200
    return False
