"""`measure_on_devices` and `weighbridge device`: from the link to the files of the results."""

import json
import threading
import urllib.request

import pytest

import weighbridge
from tests.unit.toolkit import builders
from tests.unit.toolkit.certificates import certificate_in
from tests.unit.toolkit.cli.test_cli import weighbridge as command
from tests.unit.toolkit.systems.device.sessions import body_of, report_of, runtime_in
from weighbridge.api import devices
from weighbridge.api.job_progress import Watcher
from weighbridge.cli.measure import device as commands
from weighbridge.core.errors import Invalid
from weighbridge.systems.device import link as links
from weighbridge.systems.device import runtime, session
from weighbridge.systems.sandbox.bubblewrap import NO_LAYERS, layers_here
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

pytestmark = pytest.mark.slow

ANNOUNCE = commands._announce


@pytest.fixture
def place(tmp_path):
    runtime_in(tmp_path / "runtime")
    builders.classifier(tmp_path / "m.onnx")
    return tmp_path


@pytest.fixture
def sessions(monkeypatch):
    """The sessions that are opened."""
    opened = []

    class Kept(session.Session):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            opened.append(self)

    monkeypatch.setattr(devices, "Session", Kept)
    return opened


def post(link: str, name: str, body: bytes) -> dict:
    request = urllib.request.Request(link + name, data=body, method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def visitor(sessions, *, reports: int = 1, refusals: int = 0, **changes):
    """A function for `on_ready`: devices open the link in another thread, and measure or give up."""

    def visit(link: str) -> None:
        for _ in range(refusals):
            run = post(link, "runs", b"")["run"]
            post(link, "refusals", json.dumps({"run": run, "reason": "No such operator."}).encode())
        for _ in range(reports):
            run = post(link, "runs", b"")["run"]
            post(link, "results", body_of(report_of(sessions[-1], run, **changes)))

    def ready(page) -> None:
        threading.Thread(target=visit, args=(page.link,), daemon=True).start()

    return ready


def measured(place, **options):
    return weighbridge.measure_on_devices(place / "m.onnx", runtime=place / "runtime", wall=30, duration=0, **options)


def test_several_devices_give_a_result_each(place, sessions):
    seen, refused = [], []
    ready = visitor(sessions, reports=2, refusals=1)
    found = measured(place, wait=2, on_ready=ready, on_result=seen.append, on_refusal=refused.append)
    assert list(found) == seen
    assert refused == ["No such operator."]
    assert [each["schema"] for each in found] == ["weighbridge.result/1"] * 2
    assert found[0]["agreement"]["is_within"] is True
    assert "sandbox" not in json.dumps(found[0]["manifest"])
    assert {row["metric"] for row in found[0].rows} >= {"latency_p50_ms", "load_time_ms"}


def test_the_profile_here_is_beside(place, sessions, monkeypatch):
    here = {
        "metrics": {"latency_p50_ms": {"value": 1.0, "lower": 1, "upper": 1, "confidence": 0.99, "n": 9, "unit": "ms"}},
        "manifest": {"engine": {"engine": "onnxruntime"}},
        "verdict": {"status": "valid"},
    }
    monkeypatch.setattr(devices.Target, "measure", lambda *_, **__: here)
    (found,) = measured(place, compare_here=True, on_ready=visitor(sessions))
    assert found["here"] == here
    parts = [part if isinstance(part, str) else str(part.title) for part in found.parts()]
    assert parts[0] == "Chrome 140 on Android, 8 processors"
    assert "The device beside onnxruntime on this machine (valid)" in parts


def test_the_answers_here_are_computed_in_the_sandbox_unless_trusted(place, sessions, monkeypatch):
    seen = []
    real = devices.reference_answers
    monkeypatch.setattr(devices, "reference_answers", lambda *a, **k: seen.append(k["layers"]) or real(*a, **k))
    measured(place, on_ready=visitor(sessions))
    measured(place, trust=True, on_ready=visitor(sessions))
    assert seen == [layers_here(), NO_LAYERS]


def test_a_data_set_of_arrays_is_taken(place, sessions):
    rows = {"x": builders.np.ones((5, 4), dtype="float32")}
    (found,) = measured(place, data=rows, trust=True, on_ready=visitor(sessions))
    assert found["manifest"]["inputs"]["origin"].startswith("5 distinct rows of the data set")
    assert found["manifest"]["data"]["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"wait": 0}, "wait"),
        ({"wait": 1_001}, "wait"),
        ({"tolerance": 1.0}, "tolerance"),
        ({"tolerance": -0.1}, "tolerance"),
        ({"dims": {"q": 3}}, "dim"),
        ({"samples": 0}, "min_samples"),
        ({"threads": 0}, "threads"),
        ({"host": "192.0.2.1"}, "host"),
    ],
)
def test_what_cannot_be_served_is_refused(place, options, field):
    with pytest.raises(Invalid) as refusal:
        measured(place, **options)
    assert refusal.value.field == field


def test_nobody_comes():
    with pytest.raises(RunFailed, match=r"0 of 1 results came within 0\.01 s") as failure:
        devices._results(session_of(), 1, 0.01, Watcher(), print, print)
    assert failure.value.code == "device_timeout"


def session_of():
    class Nobody:
        results, refusals, changed = [], [], threading.Condition()

    return Nobody()


def test_a_session_can_be_interrupted():
    with pytest.raises(RunCanceled, match="0 of 1 results came"):
        devices._results(session_of(), 1, 60, Watcher(should_stop=lambda: True), print, print)


def test_other_devices_get_a_code(place, sessions, monkeypatch):
    monkeypatch.setattr(links, "local_address", lambda: "127.0.0.1")
    pages = []

    def ready(page):
        pages.append(page)
        visitor(sessions)(page)

    measured(place, host="0.0.0.0", on_ready=ready)
    (page,) = pages
    assert (page.is_reachable, page.remark, "█" in page.code) == (True, "", True)


def test_without_segno_the_link_is_enough(place, sessions, monkeypatch):
    monkeypatch.setattr(links, "local_address", lambda: "127.0.0.1")
    monkeypatch.setitem(__import__("sys").modules, "segno", None)
    done = command_with(monkeypatch, sessions, place, "--host", "0.0.0.0")
    assert done.exit_code == 0
    assert "There is no QR code. This needs segno" in done.stderr
    assert "Anybody on the network who has the link" in done.stderr


def test_a_page_with_a_certificate_has_a_secure_link(place, sessions, monkeypatch):
    certificate_in(place)
    monkeypatch.setattr(devices, "_results", lambda *_: ())
    pages = []
    measured(place, tls=place, on_ready=pages.append)
    assert pages[0].link.startswith("https://127.0.0.1:")
    with pytest.raises(Invalid, match=r"tls\.crt"):
        measured(place, tls=place / "runtime")


def command_with(monkeypatch, sessions, place, *arguments, **report):
    """Run the command while a device opens the link that it prints."""

    def announced(page):
        ANNOUNCE(page)
        visitor(sessions, reports=report.pop("reports", 1), refusals=report.pop("refusals", 0), **report)(page)

    monkeypatch.setattr(commands, "_announce", announced)
    options = ("--runtime", place / "runtime", "--samples", 200, "--duration", 0, "--wall", 30)
    return command("device", place / "m.onnx", *options, *arguments)


def test_the_command_writes_the_result_and_says_who_can_reach_the_page(place, sessions, monkeypatch):
    done = command_with(monkeypatch, sessions, place, "--json", place / "r.json", refusals=1)
    assert done.exit_code == 0
    assert "Only this machine can reach it; --host 0.0.0.0 lets" in done.stderr
    assert "A device could not measure: No such operator." in done.stderr
    assert "answers agree with ONNX Runtime here: 8 queries" in done.stdout
    assert "note: A device reported this measurement." in done.stdout
    assert json.loads((place / "r.json").read_text())["verdict"]["status"] == "valid"


def test_several_results_have_files_with_numbers(place, sessions, monkeypatch):
    done = command_with(monkeypatch, sessions, place, "--wait", 2, "--json", place / "r.json", "--quiet", reports=2)
    assert (done.exit_code, done.stdout) == (0, "")
    assert {path.name for path in place.glob("*.json")} == {"r-1.json", "r-2.json"}


def test_an_invalid_result_is_a_no(place, sessions, monkeypatch):
    slow = {"warm_up": {"inferences": 1, "duration_ms": 1.0, "values_ms": [1.0]}, "pressure": "critical"}
    assert command_with(monkeypatch, sessions, place, **slow).exit_code == 0
    few = {"latencies": "AAAAAAAA8D8=", "duration_ms": 2.0}
    assert command_with(monkeypatch, sessions, place, **few).exit_code == 1


def test_a_terminal_shows_the_code(monkeypatch, capsys):
    monkeypatch.setattr(commands.sys.stderr, "isatty", lambda: True, raising=False)
    commands._announce(devices.DevicePage("http://x/", "█▀█", is_reachable=True))
    assert "█▀█" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "Give an ONNX file to measure."),
        (("m.onnx", "--wait", 2, "--json", "-"), "Several results need files of their own"),
        (("m.onnx", "--json", __file__ + "/r.json"), "Nothing was run; name another file"),
        (("none.onnx",), "There is no model file none.onnx."),
    ],
)
def test_bad_input_is_told(place, arguments, reason):
    done = command("device", *arguments, "--runtime", place / "runtime")
    assert (done.exit_code, reason in done.stderr) == (2, True)


def test_the_runtime_is_installed_where_it_is_asked_for(place, monkeypatch):
    monkeypatch.setattr(runtime, "install", lambda folder: folder)
    done = command("device", "--install", "--runtime", place)
    assert (done.exit_code, done.stdout) == (0, f"onnxruntime-web is in {place}.\n")
