"""The story: from images to a recommendation, resumed where it stopped, with everything in one candidates file."""

import dataclasses
import sys
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from examples.product_images import story
from examples.product_images.__main__ import app
from examples.product_images.settings import STATIC, ExampleSettings
from tests.refusals import has_code
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.candidates import read_candidates

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
SMALL = ExampleSettings(
    images=600,
    epochs={"resnet": 2},
    training_minutes=5,
    variants=(STATIC,),
    calibrate=64,
    samples=140,
    least_s=0.01,
    longest_s=3,
    rounds=3,
)


def tell(folder, fashion, *, settings=SMALL, say=lambda _share, _doing: None):
    return story.run_example(
        folder, data=fashion, settings=settings, say=say, now=lambda: NOW, print_page=lambda _html, _pdf: None
    )


def test_from_images_to_a_page_and_again_without_work(fashion, tmp_path) -> None:
    shares = []
    ending = tell(tmp_path, fashion, say=lambda share, _doing: shares.append(share))
    assert shares[-1] == 1.0
    assert [each.name for each in ending.candidates.candidates] == ["resnet-fp32", f"resnet-{STATIC}"]
    assert ending.candidates.baseline == "resnet-fp32"
    written = read_candidates(tmp_path / "candidates.json")
    assert not written.is_partial
    baseline, variant = written.candidates
    assert baseline.made_by == "trained on 600 images for 2 epochs"
    assert baseline.metrics["accuracy"].n == 200
    assert variant.metrics["model_size_mb"].value < baseline.metrics["model_size_mb"].value
    assert variant.quality_drop.n == 200
    for name in (
        baseline.file,
        baseline.result_file,
        variant.file,
        variant.result_file,
        "recommendation.html",
        "recommendation.md",
        "f1_macro-latency.svg",
        "f1_macro-size.svg",
    ):
        assert (tmp_path / name).is_file()
    assert written.manifest["training"]["resnet"]["epochs"] == 2
    again = tell(tmp_path, fashion)
    assert again.candidates.candidates == ending.candidates.candidates


def test_an_interruption_leaves_what_was_finished(fashion, tmp_path) -> None:
    def interrupt(_share, doing):
        if doing.startswith(STATIC):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell(tmp_path, fashion, say=interrupt)
    kept = read_candidates(tmp_path / "candidates.json")
    assert kept.is_partial
    assert [each.name for each in kept.candidates] == ["resnet-fp32"]


def test_a_folder_that_cannot_be_written_is_refused(fashion, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, check=has_code("folder")):
        tell(tmp_path / "file", fashion)


def run(*options):
    return CliRunner().invoke(app, [str(option) for option in options])


@dataclasses.dataclass
class Told:
    """Takes the place of the story and remembers what it was asked."""

    ending: object
    asked: dict = dataclasses.field(default_factory=dict)

    def __call__(self, folder, **asked):
        self.asked = {"folder": folder, **asked}
        if isinstance(self.ending, BaseException):
            raise self.ending
        return self.ending


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        (
            story.ImageOutcome(None, "Take it.", "there", None),
            0,
            "Take it.\nThe page, its charts and candidates.json are in there.",
        ),
        (story.ImageOutcome(None, "Take it.", "there", "No PDF: x"), 0, "weighbridge: No PDF: x"),
        (Invalid("The images are missing."), 2, "weighbridge: The images are missing."),
        (KeyboardInterrupt(), 130, "Run the same command to continue"),
    ],
)
def test_the_command_ends_with_words_and_a_code(monkeypatch, ending, code, said) -> None:
    monkeypatch.setattr(story, "run_example", Told(ending))
    done = run()
    assert done.exit_code == code
    assert said in done.output


def test_the_command_passes_its_options_on(monkeypatch, tmp_path) -> None:
    told = Told(story.ImageOutcome(None, "Take it.", tmp_path, None))
    monkeypatch.setattr(story, "run_example", told)
    done = run(
        "--out",
        tmp_path,
        "--data",
        tmp_path,
        "--images",
        12_000,
        "--minutes",
        20,
        "--quiet",
    )
    assert (done.exit_code, done.stdout) == (0, "")
    assert (told.asked["folder"], told.asked["data"]) == (tmp_path, tmp_path)
    assert (told.asked["settings"].images, told.asked["settings"].training_minutes) == (12_000, 9.0)
    assert told.asked["now"]().tzinfo is UTC
    run("--quick")
    assert told.asked["settings"].variants == (STATIC,)
    assert told.asked["settings"].images == 10_000


@pytest.mark.parametrize(
    ("library", "installed_by"),
    [("torch", "weighbridge[torch]"), ("altair", "weighbridge[charts]"), ("torchvision", "torchvision>=0.21,<1")],
)
def test_the_command_names_a_library_that_is_missing(monkeypatch, library, installed_by) -> None:
    told = Told(None)
    monkeypatch.setattr(story, "run_example", told)
    # An import of a name that holds None fails as if nothing was installed.
    monkeypatch.setitem(sys.modules, library, None)
    done = run("--quick")
    assert (done.exit_code, done.stdout, told.asked) == (2, "", {})
    assert done.stderr == f'weighbridge: This needs {library}. Install it: pip install "{installed_by}".\n'
