"""The Python that the toolkit's tutorial shows is run as it stands, from the first block to the last."""

import re

import pytest

from tests.contracts.shown import ROOT

PAGE = ROOT / "docs/tutorial/toolkit-in-python.md"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.nightly
def test_the_tutorial_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # for the command that it starts
    names: dict[str, object] = {}
    blocks = BLOCK.findall(PAGE.read_text())
    assert len(blocks) == 10
    exec(compile("\n".join(blocks), str(PAGE), "exec"), names)
    assert "int8-dynamic" in names["variants"]._repr_html_()
