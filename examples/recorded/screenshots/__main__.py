"""`make screenshots`: restore the recording in a folder of its own, and make a picture of each page."""

import argparse
import os
import socket
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.recorded.__main__ import load, stop_database

PORTS = {"web": 18_200, "jira": 18_201}
"""Ports that stand in pictures; another free one is taken if one is in use."""


def main() -> None:
    """Run the command of the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.recorded.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="GROUP/NAME", help="Only these pictures.")
    chosen = parser.parse_args()
    os.environ.pop("DATABASE_URL", None)  # the embedded database alone, whose content is thrown away
    with TemporaryDirectory(prefix="weighbridge-screenshots-") as folder:
        Path(folder).chmod(0o755)  # the database may run as a user of its own
        os.environ["WEIGHBRIDGE_VAR"] = folder
        try:
            _make(set(chosen.names))
        finally:
            stop_database()


def _make(names: set[str]) -> None:
    from examples.recorded.screenshots import chromium

    chromium.check()
    load(stands_still=True)
    from examples.company.__main__ import connect_jira, start_jira
    from examples.recorded.screenshots import camera, document
    from examples.recorded.screenshots.staging import stage
    from governance.operations.management.stack import Stack

    var, port = Path(os.environ["WEIGHBRIDGE_VAR"]), _port("web")
    url = f"http://127.0.0.1:{port}"
    (var / "demo").mkdir(exist_ok=True)
    with Stack(logs=var / "logs", environment={"WEIGHBRIDGE_BASE_URL": url}) as stack:
        connect_jira(start_jira(stack, var, port=_port("jira")), var / "demo")
        stage()
        stops = document.stops(names)
        stack.start_web(port=port)
        stack.wait_for(f"{url}/livez")
        with camera.started() as browser:
            camera.take(browser, url, stops)
    for stray in document.strays():
        stray.unlink()
    document.PAGE.write_text(document.text(), encoding="utf-8")
    print(f"{len(stops)} pictures are in {document.FOLDER}; their page is {document.PAGE}.", flush=True)


def _port(name: str) -> int:
    from examples.company.__main__ import free_port

    with socket.socket() as probe:
        is_free = probe.connect_ex(("127.0.0.1", PORTS[name])) != 0
    return PORTS[name] if is_free else free_port()


if __name__ == "__main__":
    main()
