"""The pictures in the documentation: each page has one, each has a page, and all together are small."""

from pathlib import Path

import pytest
from PIL import Image

from examples.recorded.screenshots import chromium, document
from examples.recorded.screenshots.camera import NARROW, WIDE
from examples.recorded.screenshots.pages import GROUPS
from examples.recorded.screenshots.pages.page import PicturedPage

PAGES = [(group, page) for group in GROUPS for page in group.pages]
FILES = [document.FOLDER / group.folder / f"{page.name}.png" for group, page in PAGES]


def test_there_are_at_least_25_pages_and_each_has_a_name_of_its_own() -> None:
    assert len(PAGES) >= 25
    assert len(set(FILES)) == len(PAGES)


def test_each_page_has_its_picture_and_each_picture_its_page() -> None:
    assert [path for path in FILES if not path.exists()] == []
    assert document.strays() == []


def test_a_stray_picture_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "FOLDER", tmp_path)
    (tmp_path / "lead").mkdir()
    for name in ("inbox.png", "of-an-earlier-list.png"):
        (tmp_path / "lead" / name).touch()
    assert document.strays() == [tmp_path / "lead" / "of-an-earlier-list.png"]


def test_the_pictures_are_small_together_and_no_folder_is_crowded() -> None:
    assert sum(path.stat().st_size for path in FILES) <= document.MOST_BYTES
    assert {folder: len(list(folder.iterdir())) for folder in document.FOLDER.iterdir()} == {
        document.FOLDER / group.folder: len(group.pages) for group in GROUPS
    }
    assert max(len(group.pages) for group in GROUPS) <= 15


def test_each_picture_has_the_size_of_a_window_and_a_palette() -> None:
    for (_, page), path in zip(PAGES, FILES, strict=True):
        size = NARROW if page.is_narrow else WIDE
        with Image.open(path) as picture:
            assert (picture.size, picture.mode) == ((size["width"], size["height"]), "P"), path


def test_one_page_is_dark_and_one_has_the_width_of_a_phone() -> None:
    assert [page.name for _, page in PAGES if page.is_dark] == ["decision-dark"]
    assert [page.name for _, page in PAGES if page.is_narrow] == ["inbox-on-a-phone"]


def test_the_committed_page_has_each_picture_with_caption_and_alternative_text() -> None:
    assert document.PAGE.read_text() == document.text()
    for group, page in PAGES:
        assert f"{page.words}\n\n![{page.alt}](../screenshots/{group.folder}/{page.name}.png)\n" in document.text()


def faults(page: PicturedPage) -> list[str]:
    said = {"the caption is no sentence": page.words.endswith("."), "the alternative text ends": page.alt[-1:] != "."}
    said["the alternative text says too little"] = len(page.alt.split()) >= 5
    return [fault for fault, is_right in said.items() if not is_right]


def test_captions_are_sentences_and_alternative_texts_say_what_is_seen() -> None:
    assert {page.name: faults(page) for _, page in PAGES if faults(page)} == {}


def test_an_unknown_picture_is_named_with_those_there_are() -> None:
    with pytest.raises(SystemExit, match=r"There is no picture lead/none. The pictures are: requester/inbox, "):
        document.stops({"lead/none"})


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "CHROMIUM", tmp_path)
    chromium.check()
    monkeypatch.setattr(chromium.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match=r"Playwright is not installed; `make screenshots` installs it."):
        chromium.check()
    monkeypatch.setattr(chromium, "CHROMIUM", tmp_path / "none")
    with pytest.raises(SystemExit, match=r"Chromium is not installed, .*apt-get install"):
        chromium.check()
