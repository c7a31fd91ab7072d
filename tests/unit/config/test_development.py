"""Django's development server keeps no connection that nobody would use again."""

import subprocess
import sys

import pytest

from tests.architecture.tree import ROOT

SHOW = "import sys; sys.argv[1:] = {}; from config.settings import dev; print(dev.DATABASES['default']['CONN_MAX_AGE'])"


@pytest.mark.parametrize(("arguments", "seconds"), [(["runserver"], 0), (["runserver", "8000"], 0), ([], 60)])
def test_how_long_a_connection_is_kept(arguments: list[str], seconds: int) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW.format(arguments)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(shown.stdout) == seconds
