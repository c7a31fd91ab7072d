"""`make try` loads the recording and serves it; `python -m examples.recorded record` makes the recording anew."""

import argparse
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.recorded import recording
from examples.recorded.clock import RecordedClock

OF_OTHERS = ("DATABASE_URL", "BROKER_URL", "WEIGHBRIDGE_ARTIFACTS")
"""Variables that are not obeyed: only the database, the broker and the files of its own folder are used, and thrown
away.
"""


def main() -> None:
    """Run the command of the command line."""
    parser = argparse.ArgumentParser(prog="python -m examples.recorded", description=__doc__)
    parser.add_argument("command", choices=["serve", "load", "record"], nargs="?", default="serve")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--requests", type=int, default=0, help="Copy the requests over ten years, to so many.")
    chosen = parser.parse_args()
    for name in OF_OTHERS:
        os.environ.pop(name, None)
    if chosen.command == "record":
        _record()
    else:
        load(requests=chosen.requests)
    if chosen.command == "serve":
        _serve(chosen.port)


def load(*, stands_still: bool = False, requests: int = 0) -> None:
    """Load the recording into a new database and new folders; what an earlier `make try` left there is removed.

    With `stands_still`, its clock does not run on. With `requests`, there are as many, over ten years.
    """
    began = time.monotonic()
    var = _own_folder("try")
    _empty(var)
    listed = recording.read_list()
    loaded_at = datetime.fromtimestamp(time.time(), UTC)
    RecordedClock(datetime.fromisoformat(listed["at"]), loaded_at, stands_still).write(var)
    os.environ["DJANGO_SETTINGS_MODULE"] = "examples.recorded.settings"
    import django

    django.setup()
    from django.core.management import call_command

    recording.check(listed)
    with TemporaryDirectory() as folder:
        recording.unpack(Path(folder))
        call_command("restore", folder)
    call_command("collectstatic", interactive=False, verbosity=0)
    if requests:
        call_command("generate_history", requests=requests)
    print(f"The recording of {listed['at'][:10]} is loaded ({time.monotonic() - began:.0f} s).", flush=True)


def _serve(port: int) -> None:
    from django.core.management import call_command

    print("Log in as any person of the demo: the log-in page lists them. Start with Lee Lead.", flush=True)
    try:
        call_command("up", port=port)
    finally:
        stop_database()


def _record() -> None:
    var = _own_folder("record")
    _empty(var)
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.dev"
    from examples.recorded.playing import play

    play(var)


def _own_folder(name: str) -> Path:
    """A folder of its own below the folder of run-time files."""
    from config import env

    folder = env.var_folder() / name
    os.environ["WEIGHBRIDGE_VAR"] = str(folder)
    return env.var_folder()


def _empty(var: Path) -> None:
    """Stop the database of the folder and remove what is in it."""
    from governance.operations.management.stack import Stack

    with Stack(logs=var / "logs"):  # refuses while another process serves it
        stop_database()
    shutil.rmtree(var)
    var.mkdir(mode=0o700)


def stop_database() -> None:
    """Stop the embedded database.

    In a process of its own: a server that was stopped is not started again by the process that stopped it.
    """
    subprocess.run([sys.executable, "-m", "config.embedded_database", "stop"], check=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
