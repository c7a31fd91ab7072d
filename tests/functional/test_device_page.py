"""The page that measures a model on a device: in a real browser, against ONNX Runtime on the same machine."""

import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import weighbridge
from tests.functional.conftest import LISTEN, Record, _watch
from tests.functional.test_pages import COLORS, EVERYTHING
from tests.unit.toolkit import builders
from weighbridge.core.errors import Refused
from weighbridge.systems.device import runtime

pytestmark = [pytest.mark.browser, pytest.mark.slow]

RUNTIME = Path(sys.prefix) / "onnxruntime-web"
MISSING = "onnxruntime-web is missing: run `weighbridge device --install --runtime .venv/onnxruntime-web`."
LONGEST_S = 120
LONGEST_MS = LONGEST_S * 1000
HIDE = """
Object.defineProperty(document, "hidden", { get: () => true });
document.dispatchEvent(new Event("visibilitychange"));
"""


@dataclass
class Served:
    """A page that is served by another thread, what it gave, and what went wrong in the browser."""

    link: str
    results: list[weighbridge.Result]
    refusals: list[str]
    page: Page
    record: Record
    thread: threading.Thread

    def measure(self, backend: str = "wasm") -> None:
        """Press the button and wait until it can be pressed again."""
        self.page.check(f"[value={backend}]")
        self.page.click("#start")
        self.page.locator("#start:enabled").wait_for(timeout=LONGEST_MS)

    def wait_for_refusal(self) -> None:
        """Wait until the other thread was told why the run does not count."""
        until = time.monotonic() + LONGEST_S
        while not self.refusals and time.monotonic() < until:
            self.thread.join(0.05)


@pytest.fixture
def serve(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Serve a model, and open its page in a browser; end both."""
    if not (RUNTIME / runtime.FILES[0]).is_file():
        pytest.fail(MISSING, pytrace=False)
    stopped = threading.Event()
    opened: list[Served] = []

    def start(model: Path, *, context: dict[str, object] | None = None, **options: object) -> Served:
        pages: queue.Queue[str] = queue.Queue()
        results: list[weighbridge.Result] = []
        refusals: list[str] = []

        def serve_page() -> None:
            try:
                weighbridge.measure_on_devices(
                    model,
                    runtime=RUNTIME,
                    trust=True,
                    wall=300,
                    on_ready=lambda page: pages.put(page.link),
                    on_result=results.append,
                    on_refusal=refusals.append,
                    watcher=weighbridge.Watcher(should_stop=stopped.is_set),
                    **options,
                )
            except Refused as refused:
                pages.put(refused.reason)

        thread = threading.Thread(target=serve_page, daemon=True)
        thread.start()
        link = pages.get(timeout=60)
        page = browser.new_context(viewport={"width": 390, "height": 844}, **(context or {})).new_page()
        page.add_init_script(LISTEN)
        record = Record()
        _watch(page, record, link.partition("/")[0] + "//" + link.split("/")[2])
        page.goto(link)
        page.locator("#start:enabled").wait_for()
        opened.append(Served(link, results, refusals, page, record, thread))
        return opened[-1]

    yield start
    stopped.set()
    for served in opened:
        served.page.context.close()
        served.thread.join(10)


def test_a_classifier_is_measured_and_agrees_with_onnx_runtime(serve: Callable[..., Served], tmp_path: Path) -> None:
    model, data = builders.classifier(tmp_path / "m.onnx"), builders.data_set(tmp_path / "d.npz")
    served = serve(model, data=data, samples=300, duration=0.5, wait=2)
    for number in (1, 2):
        served.measure()
        served.page.get_by_text("Done. The result is on the machine that serves this page.").wait_for()
        assert served.page.locator("#start").inner_text() == "Measure again"
        assert served.page.locator("#times tr").count() == 5
        assert served.page.locator("#result-title").evaluate("node => node === document.activeElement")
        assert number >= len(served.results)
    served.thread.join(LONGEST_S)
    assert len(served.results) == 2
    for result in served.results:
        assert result["agreement"]["is_within"] is True
        assert (result["agreement"]["queries"], result["agreement"]["top_1"]) == (8, 1.0)
        assert result["manifest"]["engine"]["engine"] == f"onnxruntime-web {runtime.VERSION} wasm"
        assert result["manifest"]["inputs"]["origin"].startswith("300 distinct rows of the data set")
        assert len(result["samples"]["latency_ns"]) * result["samples"]["stride"] >= 300
        assert result["metrics"]["latency_p50_ms"]["value"] > 0
        assert result["device"]["is_cross_origin_isolated"] is True
        assert result["manifest"]["machine"]["os"] == "Linux"
    assert (served.record.foreign, served.record.complaints, served.refusals) == ([], [], [])
    assert served.page.evaluate("window.violations") == []


def test_a_page_that_only_this_machine_can_open_offers_no_link_to_others(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    served = serve(builders.classifier(tmp_path / "m.onnx"), samples=50, duration=0)
    served.page.get_by_text("No other device can open the address of this page.").wait_for()
    assert served.page.locator("#reachable").is_hidden()
    served.page.goto(f"{served.link}#start")
    served.page.reload()
    assert served.page.locator("#link").get_attribute("href") == served.link
    served.thread.join(LONGEST_S)
    assert len(served.results) == 1


def test_a_hidden_page_voids_the_run(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve(builders.classifier(tmp_path / "m.onnx"), samples=300, duration=30)
    served.page.click("#start")
    served.page.get_by_text("Measuring").wait_for(timeout=LONGEST_MS)
    served.page.evaluate(HIDE)
    served.page.get_by_text("The page was hidden during the run, so the run does not count.").wait_for()
    assert served.page.locator("#result").is_hidden()
    served.page.locator("#start:enabled").wait_for()
    served.wait_for_refusal()
    assert served.results == []
    assert len(served.refusals) == 1
    assert served.refusals[0].startswith("The page was hidden")


def test_states_texts_and_all_kinds_of_numbers_reach_the_model(serve: Callable[..., Served], tmp_path: Path) -> None:
    kinds = builders.TensorProto
    types = [
        *(kinds.FLOAT16, kinds.FLOAT, kinds.DOUBLE, kinds.INT8, kinds.UINT8, kinds.INT16, kinds.UINT16),
        *(kinds.INT32, kinds.UINT32, kinds.INT64, kinds.UINT64, kinds.BOOL, kinds.STRING),
    ]
    tensor, node = builders.helper.make_tensor_value_info, builders.helper.make_node
    nodes = [node("Identity", [f"x{kind}"], [f"y{kind}"]) for kind in types] + [node("Add", ["a", "s"], ["t"])]
    ins = [tensor(f"x{kind}", kind, ["n", 3]) for kind in types] + [tensor(n, kinds.FLOAT, [1, 2]) for n in "as"]
    outs = [tensor(f"y{kind}", kind, ["n", 3]) for kind in types] + [tensor("t", kinds.FLOAT, [1, 2])]
    model = builders.save(nodes, ins, outs, [], tmp_path / "m.onnx")
    values = {
        f"x{kinds.STRING}": "h\u00e9llo \U0001f600",
        f"x{kinds.INT64}": "-1000000000000000000:1000000000000000000",
    }
    served = serve(model, samples=50, duration=0, inputs=values, state={"s": "t"})
    served.measure()
    served.thread.join(LONGEST_S)
    assert served.refusals == []
    assert served.results[0]["agreement"]["is_within"] is True
    assert served.results[0]["agreement"]["values"] == 8 * (3 * len(types) + 2)


def test_weights_beside_the_model_are_loaded_with_it(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve(builders.bundle(tmp_path / "m.onnx"), samples=50, duration=0)
    served.measure()
    served.thread.join(LONGEST_S)
    assert served.refusals == []
    assert served.results[0]["agreement"]["is_within"] is True
    assert list(served.results[0]["manifest"]["model"]["weights"]) == ["m.bin"]


def test_what_the_runtime_cannot_do_is_told_in_its_words(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve(builders.classifier(tmp_path / "m.onnx"), samples=50, duration=0, threads=1)
    (tmp_path / "m.onnx").write_bytes(b"no model")
    served.measure()
    told = served.page.locator("#error").inner_text()
    assert told.startswith("Can't create a session.")
    served.wait_for_refusal()
    assert (served.results, served.refusals) == ([], [told])


def test_a_model_that_was_exchanged_is_refused(serve: Callable[..., Served], tmp_path: Path) -> None:
    served = serve(builders.classifier(tmp_path / "m.onnx"), samples=50, duration=0)
    builders.classifier(tmp_path / "m.onnx", batch="rows")
    served.measure()
    assert "The report is about another model." in served.page.locator("#error").inner_text()
    assert served.results == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_barrier_before_and_after(serve: Callable[..., Served], tmp_path: Path, theme: str) -> None:
    served = serve(
        builders.classifier(tmp_path / "m.onnx"), samples=50, duration=0, wait=2, context={"color_scheme": theme}
    )
    axe = Axe()
    options = EVERYTHING if theme == "light" else COLORS
    for _ in range(2):
        found = axe.run(served.page, options=options)
        assert found.response["violations"] == [], found.generate_report()
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert served.page.evaluate(width) <= 0
        served.measure()
