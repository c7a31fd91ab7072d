"""Programs of a few lines to put behind the fence."""

import textwrap
from pathlib import Path

HEAD = """
import json, os, signal, sys, time
job = json.load(open(sys.argv[-1]))

def say(**said):
    print(json.dumps(said), flush=True)

def hand_over(document):
    text = document if isinstance(document, str) else json.dumps(document)
    view = memoryview(text.encode())
    while view:
        view = view[os.write(job["outcome"], view):]
"""


def script(path: Path, text: str) -> list[str]:
    """Write a program that knows its `job`, and can `say(...)` and `hand_over(...)`; answer how it is called."""
    path.write_text(HEAD + textwrap.dedent(text))
    return [str(path)]
