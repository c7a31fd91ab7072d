"""The comparison itself: it fails with the difference, and writes only when asked to."""

from pathlib import Path

import pytest

from tests.golden import golden


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(golden, "FILES", tmp_path)
    monkeypatch.delenv(golden.SWITCH, raising=False)
    return tmp_path


def test_a_change_is_shown_and_nothing_is_written(folder: Path) -> None:
    (folder / "a.txt").write_text("one\ntwo\n")
    golden.check("a.txt", "one\ntwo")
    with pytest.raises(AssertionError) as caught:
        golden.check("a.txt", "one\nthree")
    shown = str(caught.value).splitlines()
    assert {"--- files/a.txt as committed", "+++ files/a.txt as made now", "-two", "+three"} <= set(shown)
    assert shown[-1].endswith("WEIGHBRIDGE_GOLDEN=write python -m pytest tests/golden")
    assert (folder / "a.txt").read_text() == "one\ntwo\n"


def test_a_missing_file_fails_and_a_long_difference_is_cut() -> None:
    with pytest.raises(AssertionError, match="and 103 lines more"):
        golden.check("new.txt", "\n".join(str(number) for number in range(300)))


def test_it_is_written_on_demand(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(golden.SWITCH, "write")
    golden.check_document("deep/a.json", {"b": 1, "a": "ü"})
    assert (folder / "deep" / "a.json").read_text() == '{\n "a": "ü",\n "b": 1\n}\n'
