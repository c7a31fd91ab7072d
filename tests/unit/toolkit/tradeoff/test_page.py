"""The page: everything said stands on it once, nothing of the data is read as markup, and it prints."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.refusals import has_code
from tests.unit.toolkit.tradeoff.builders import candidate, candidates
from tests.unit.toolkit.tradeoff.test_charts import load_result
from weighbridge.core.errors import Invalid
from weighbridge.tradeoff.candidates import RawLatencies, VariantAnswer
from weighbridge.tradeoff.learning.learning_curve import as_document, forecast
from weighbridge.tradeoff.requirements import Requirements, limits_of
from weighbridge.tradeoff.sheets import printing
from weighbridge.tradeoff.sheets.printing import PrintRefused, print_pdf
from weighbridge.tradeoff.sheets.publishing import publish
from weighbridge.tradeoff.sheets.recommendation_page import page_of
from weighbridge.tradeoff.sheets.sheet import html, markdown

pytestmark = pytest.mark.slow

LIMITS = limits_of(["latency_p95_ms<=5", "peak_memory_mb<=100", "accuracy>=0.85"])
ROWS = [1_000, 2_000, 4_000, 8_000]


def members():
    return [
        candidate(
            "<b>big</b>",
            answer=VariantAnswer.BASELINE,
            accuracy=(0.90, 0.006),
            latency_p95_ms=(8, 0.2),
            model_size_mb=9,
            peak_memory_mb=80,
        ),
        candidate("quick", accuracy=(0.87, 0.006), latency_p95_ms=(1, 0.1), model_size_mb=2.5, peak_memory_mb=40),
        candidate("twin", accuracy=(0.87, 0.006), latency_p95_ms=(1, 0.1), model_size_mb=2.5, peak_memory_mb=40),
        candidate("larger", accuracy=(0.87, 0.006), latency_p95_ms=(1, 0.1), model_size_mb=3.5, peak_memory_mb=40),
        candidate("slower", accuracy=(0.87, 0.006), latency_p95_ms=(2, 0.1), model_size_mb=3.5, peak_memory_mb=40),
        candidate("worse", accuracy=(0.855, 0.002), latency_p95_ms=(0.5, 0.1), model_size_mb=1, peak_memory_mb=40),
        candidate("failed", answer=VariantAnswer.FAILED),
    ]


def page(**rest):
    choice = candidates(*members(), manifest={"digest": "sha256:ab"}, **rest)
    return page_of(choice, Requirements(LIMITS), title="On the device & off")


def test_every_candidate_stands_somewhere() -> None:
    rows = {row[0]: row for row in page().tables[0][1].rows}
    assert {name: row[-1] for name, row in rows.items()} == {
        "<b>big</b>": "misses p95 latency",
        "quick": "chosen",
        "twin": "tied",
        "larger": "larger",
        "slower": "slower",
        "worse": "less accuracy",
        "failed": "left out",
    }
    assert page().tables[0][1].headings == (
        "candidate",
        "accuracy",
        "p95 latency (ms)",
        "model size (MB)",
        "peak memory (MB)",
        "frontier",
        "stands",
    )
    assert rows["failed"][1:6] == ("–",) * 5  # noqa: RUF001 -- a dash


def test_the_html_is_whole_escaped_and_loads_nothing() -> None:
    written = html(page())
    body = written.partition("<body>")[2]
    root = ET.fromstring("<body>" + body.partition("</html>")[0])
    assert "&lt;b&gt;big&lt;/b&gt;" in body
    assert "<b>" not in body
    assert len(root.findall(".//{http://www.w3.org/2000/svg}svg")) == 2
    for word in ("<script", "http-equiv", "src=", "<link", "url(", "@import"):
        assert word not in written
    for sentence in dict(page().sections)["Why"]:
        assert sentence.replace("<", "&lt;").replace(">", "&gt;") in body
    assert "Take quick; twin would do as well." in body


def test_the_markdown_holds_the_sentences_the_tables_and_the_appendix() -> None:
    choice = candidates(
        candidate("only", accuracy=0.9, samples=RawLatencies((1_000, 2_000))),
        learning_curve=as_document(forecast(ROWS, [0.05 + 2 * n**-0.4 for n in ROWS]), metric="accuracy"),
    )
    loads = [load_result(100, p50=2), load_result(900, p50=22)]
    found = page_of(choice, Requirements(), title="One", loads=loads)
    written = markdown(found)
    assert found.charts == ()
    assert [name for name, _ in found.appendix] == ["latency-distribution", "learning-curve", "load-curve"]
    assert "**only meets the limits, but no other candidate could be judged: there was no choice.**" in written
    assert "](learning-curve.svg)" in written
    assert html(found).count("<figure>") == 0


def test_nothing_to_say_is_said() -> None:
    nobody = page_of(candidates(candidate("a", accuracy=0.1)), Requirements(limits_of(["accuracy>=0.9"])), title="None")
    assert "## What it costs\n\nNothing." in markdown(nobody)
    assert "<h2>What it costs</h2><p>Nothing.</p>" in html(nobody)


def test_publishing_writes_every_form(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    printed = []
    assert (
        publish(page(), folder, name="page", print_page=lambda source, target: printed.append((source, target))) is None
    )
    assert printed == [(folder / "page.html", folder / "page.pdf")]
    assert {path.name for path in folder.iterdir()} == {
        "page.html",
        "page.md",
        "accuracy-latency.svg",
        "accuracy-size.svg",
    }


def test_without_a_printer_an_old_pdf_does_not_stay(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_text("of another choice")

    def refuse(_source, _target):
        raise PrintRefused("No PDF: no printer.")

    assert publish(page(), tmp_path, name="page", print_page=refuse) == "No PDF: no printer."
    assert not (tmp_path / "page.pdf").exists()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, check=has_code("folder")):
        publish(page(), tmp_path / "file", name="page")


def test_it_prints_on_one_page(tmp_path: Path) -> None:
    import pypdf

    source = tmp_path / "page.html"
    source.write_text(html(page()))
    print_pdf(source, tmp_path / "page.pdf")
    reader = pypdf.PdfReader(tmp_path / "page.pdf")
    assert len(reader.pages) == 1
    assert "Take quick; twin would do as well." in " ".join(reader.pages[0].extract_text().split())


def programs(monkeypatch, *known):
    monkeypatch.setattr(printing.shutil, "which", lambda name, path=None: f"/bin/{name}" if name in known else None)


def test_chromium_prints_where_weasyprint_is_absent(monkeypatch, tmp_path: Path) -> None:
    asked = []

    def run(command, **_rest):
        asked.append(command)
        (tmp_path / "b.pdf").write_bytes(b"%PDF")
        return subprocess.CompletedProcess(command, 0, "", "")

    programs(monkeypatch, "chromium")
    monkeypatch.setattr(printing.subprocess, "run", run)
    print_pdf(tmp_path / "a.html", tmp_path / "b.pdf")
    assert asked[0][0] == "/bin/chromium"
    assert asked[0][-1] == (tmp_path / "a.html").as_uri()


def test_no_printer_is_said(monkeypatch, tmp_path: Path) -> None:
    programs(monkeypatch)
    with pytest.raises(PrintRefused, match="neither weasyprint nor chromium"):
        print_pdf(tmp_path / "a.html", tmp_path / "b.pdf")


@pytest.mark.parametrize("failure", [subprocess.TimeoutExpired("weasyprint", 90), OSError("not executable")])
def test_a_printer_that_does_not_finish_is_said(monkeypatch, tmp_path: Path, failure) -> None:
    def run(*_command, **_rest):
        raise failure

    programs(monkeypatch, "weasyprint")
    monkeypatch.setattr(printing.subprocess, "run", run)
    with pytest.raises(PrintRefused, match="weasyprint did not finish"):
        print_pdf(tmp_path / "a.html", tmp_path / "b.pdf")


def test_a_printer_that_fails_is_quoted(monkeypatch, tmp_path: Path) -> None:
    programs(monkeypatch, "weasyprint")
    monkeypatch.setattr(
        printing.subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, "", "x\nno fonts")
    )
    with pytest.raises(PrintRefused, match="reported 'no fonts'"):
        print_pdf(tmp_path / "a.html", tmp_path / "b.pdf")
