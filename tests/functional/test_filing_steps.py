"""The filing form shows one step at a time: with errors, by the keyboard alone, and on paper."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from reviews.requests.models import ReviewRequest
from tests.factories import requests as walks
from tests.factories.models import npz_bytes, onnx_bytes
from tests.factories.people import Cast
from tests.functional.conftest import Visitor, follow
from tests.functional.keyboard import keyboard
from tests.functional.test_main_path import FIELDS_SHOWN, FIELDS_SHOWN_MAX, house

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

Visit = Callable[[User | None], Visitor]
STEPS = ("model", "version", "about", "data", "metric-values")
KINDS = ("registered", "upload", "reference", "manifest", "container", "managed", "pipeline", "deployment")


def shown(page: Page) -> list[str]:
    """The anchors of the steps that can be seen, after the address has taken effect."""
    return [step for step in STEPS if page.locator(f"#{step}").is_visible()]


def test_a_refused_form_shows_the_first_step_with_an_error_and_links_lead_to_the_others(
    visit: Visit, house: Cast
) -> None:
    visitor = visit(house.author)
    page = visitor.page
    visitor.go("/requests/new/")
    assert shown(page) == ["model"]
    page.get_by_role("group", name="What is filed").get_by_label("Upload a file").check()
    page.get_by_label("Name of the model").fill("Visual search")
    page.get_by_role("link", name="5. Metric values").click()
    page.locator("#id_training_gpu_hours").fill("-1")
    follow(page.get_by_role("button", name="Save as draft"))
    expect(page.get_by_role("alert").first).to_contain_text("This cannot be saved yet.")
    assert shown(page) == ["version"]
    summary = page.get_by_role("alert").first
    for label, step in (("Title", "about"), ("File", "version"), ("Purpose", "about")):
        summary.get_by_role("link", name=label, exact=True).click()
        page.wait_for_url(lambda url: "#id_" in url)
        assert shown(page) == [step]
    page.get_by_role("link", name="Training GPU hours").click()
    expect(page.locator("#id_training_gpu_hours")).to_be_in_viewport()
    assert shown(page) == ["metric-values"]
    page.go_back()
    assert shown(page) == ["about"]


@pytest.mark.parametrize("kind", KINDS)
def test_no_step_of_any_kind_shows_more_fields_than_a_person_can_see_at_once(
    visit: Visit, house: Cast, kind: str
) -> None:
    visitor = visit(house.author)
    visitor.go("/requests/new/")
    page = visitor.page
    page.locator(f"[name=artifact][value={kind}]").check()
    counts = []
    for link in page.get_by_role("navigation", name="Steps").get_by_role("link").all():
        link.click()
        counts.append(page.evaluate(FIELDS_SHOWN))
    assert min(counts) > 0
    assert max(counts) <= FIELDS_SHOWN_MAX


def test_paper_shows_all_steps(visit: Visit, house: Cast) -> None:
    visitor = visit(house.author)
    visitor.go("/requests/new/#data")
    visitor.page.emulate_media(media="print")
    assert shown(visitor.page) == list(STEPS)


def test_a_request_is_filed_by_the_keyboard_alone(visit: Visit, house: Cast, tmp_path: Path) -> None:
    model, data = tmp_path / "visual-search.onnx", tmp_path / "held-out.npz"
    model.write_bytes(onnx_bytes())
    data.write_bytes(npz_bytes())
    keys = keyboard(visit(house.author), "/requests/new/")
    page = keys.page

    def write(place: str, text: str) -> None:
        keys.reach(page.locator(place))
        keys.type(text)

    def choose(place: str, file: Path) -> None:
        keys.reach(page.locator(place))
        page.locator(place).set_input_files(file)  # what Enter opens is a dialog of the system

    def go_on(name: str) -> None:
        keys.reach(page.get_by_role("link", name=f"Next: {name}"))
        keys.press("Enter")
        expect(page.get_by_role("navigation", name="Steps").locator("[aria-current=step]")).to_contain_text(name)

    keys.skip_to("To the content")
    keys.reach(page.locator("[name=artifact]:checked"))
    keys.press("ArrowDown")
    keys.press("ArrowUp")
    expect(page.locator("[name=artifact][value=upload]")).to_be_checked()
    write("#id_name", "Visual search")
    go_on("Version")
    write("#id_version", "1.0.0")
    choose("#id_file", model)
    go_on("Purpose")
    write("#id_title", "Visual search")
    write("#id_purpose", walks.PURPOSE)
    write("#id_business_case", "Raises conversion of the search page by 1.5 %.")
    go_on("Data")
    keys.reach(page.locator("[name=evaluation]:checked"))
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    write("#id_dataset_name", "held-out")
    write("#id_dataset_license", "internal")
    choose("#id_dataset_file", data)
    go_on("Metric values")
    write("#id_training_gpu_hours", "320")
    keys.activate(page.get_by_role("button", name="Save, then check and submit"))
    keys.enter()
    keys.activate(page.get_by_role("button", name="Submit the request"))
    expect(page.locator("#announcements").get_by_text("Submitted")).to_be_visible()
    assert ReviewRequest.objects.get().state != "draft"
