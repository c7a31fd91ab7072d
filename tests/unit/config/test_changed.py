"""Which tests a change can touch, on small trees."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.changed.__main__ import base_of, changed_since, told, tree_of
from tests.changed.choice import Choice, Tree, choose
from tests.changed.graph import Graph, is_test, module_of
from tests.changed.pages import Route, may_be, opened, templates_that_load, templates_with
from tests.changed.reading import CACHE, GAP, Reading, is_helper, read, readings

FILES = {
    "governance/__init__.py": "",
    "governance/prices/__init__.py": "",
    "governance/prices/domain.py": "RATE = 2\n",
    "governance/prices/actions.py": "from governance.prices import domain\n",
    "governance/prices/web.py": 'from governance.prices import actions\nPAGE = "governance/prices/page.html"\n',
    "governance/prices/urls.py": "from governance.prices import web\n",
    "governance/people/__init__.py": "",
    "governance/people/web.py": 'PAGE = "governance/people/page.html"\n',
    "governance/people/apps.py": 'LISTENERS = "governance.people.listeners"\n',
    "governance/people/listeners.py": "",
    "governance/people/tasks.py": "",
    "governance/people/templatetags/people.py": "from governance.people import names\n",
    "governance/people/names.py": "",
    "governance/people/admin.py": "",
    "config/urls.py": 'PAGES = ["governance.prices.urls"]\n',
    "config/settings/base.py": 'MIDDLEWARE = ["governance.people.middle.Ware"]\n',
    "governance/people/middle.py": "class Ware: ...\n",
    "governance/rules/defaults.py": 'FOLDER = "policies"\n',
    "tests/__init__.py": "",
    "tests/conftest.py": "from governance.people import tasks\n",
    "tests/factories/prices.py": (
        "from governance.prices import actions\nfrom governance.people import names\n"
        "def make_price():\n    return actions\ndef make_name():\n    return names\n"
    ),
    "tests/integration/conftest.py": (
        "import pytest\nfrom django.test import Client\nfrom tests.factories.prices import make_price\n"
        "@pytest.fixture\ndef price():\n    return make_price()\n"
        "@pytest.fixture\ndef browser():\n    return Client()\n"
    ),
    "tests/unit/test_domain.py": "from governance.prices import domain\ndef test_it(): ...\n",
    "tests/unit/test_other.py": "def test_it(): ...\n",
    "tests/unit/test_policy.py": "from governance.rules import defaults\n",
    "tests/unit/samples/one.csv": "",
    "tests/unit/samples/test_sample.py": "",
    "tests/integration/test_price.py": "def test_it(price): ...\n",
    "tests/integration/test_name.py": "from tests.factories.prices import make_name\nmake_name()\n",
    "tests/integration/test_prices_page.py": 'def test_it(browser, key):\n    browser.get(f"/prices/{key}/")\n',
    "tests/integration/test_people_page.py": 'def test_it(browser):\n    browser.get("/people/")\n',
    "tests/integration/test_links.py": 'def test_it(browser, answer):\n    browser.get(answer["Location"])\n',
    "tests/integration/test_ticks.py": "from tests import runs\nruns.tick()\n",
    "tests/integration/test_admin.py": 'def test_it(browser):\n    browser.get("/admin/people/person/")\n',
    "tests/architecture/test_all.py": "",
    "tests/functional/test_clicks.py": "",
    "tests/performance/test_speed.py": "from governance.prices import domain\n",
    "templates/layouts/base.html": '{% include "layouts/head.html" %}',
    "templates/layouts/head.html": "",
    "templates/governance/prices/page.html": (
        '{% extends "layouts/base.html" %}{% include "governance/prices/row.html" %}'
    ),
    "templates/governance/prices/row.html": "{% load people other %}",
    "templates/governance/people/page.html": "",
    "governance/rules/policies/default.yaml": "",
    "docs/explanation/cost.md": "",
    "strange.bin": "",
}
ROUTES = [
    Route(f"/prices/{GAP}/", "governance:price", "governance.prices.web"),
    Route("/people/", "governance:people", "governance.people.web"),
    Route("/admin/people/person/", "admin:people_person_changelist", "django.contrib.admin.options"),
]
ALWAYS = {"tests/architecture/test_all.py", "tests/functional/test_clicks.py"}
PAGES = {f"tests/integration/test_{name}.py" for name in ("prices_page", "people_page", "links", "admin")}


def tree(**others: str) -> Tree:
    files = FILES | others
    found = {path: read(content, has_parts=is_helper(path)) for path, content in files.items() if path.endswith(".py")}
    templates = {
        path.removeprefix("templates/"): content for path, content in files.items() if path.startswith("templates/")
    }
    return Tree(Graph(found), templates, lambda: ROUTES)


def chosen(*changed: str) -> set[str]:
    """Without the tests that are always chosen, which must be there."""
    found = set(choose(changed, tree()).distances)
    assert found >= ALWAYS
    return found - ALWAYS


def every() -> set[str]:
    return set(tree().tests()) - ALWAYS


def integration() -> set[str]:
    return {path for path in every() if path.startswith("tests/integration/")}


def test_performance_is_measured_elsewhere() -> None:
    assert "tests/performance/test_speed.py" not in set(tree().tests())
    assert len(every()) == 11


def test_a_module_touches_importers_users_of_fixtures_and_whoever_may_open_its_pages() -> None:
    assert chosen("governance/prices/domain.py") == {
        "tests/unit/test_domain.py",
        "tests/integration/test_price.py",
        "tests/integration/test_prices_page.py",
        "tests/integration/test_links.py",
    }


def test_the_nearest_come_first() -> None:
    ordered = choose(["governance/prices/domain.py"], tree()).ordered()
    assert ordered[:2] == ["tests/unit/test_domain.py", "tests/integration/test_price.py"]
    assert set(ordered[-2:]) == ALWAYS


def test_of_a_factory_module_only_the_named_parts_count() -> None:
    assert chosen("governance/people/names.py") == {
        "tests/integration/test_name.py",
        "tests/integration/test_prices_page.py",  # a template of it loads the tags
        "tests/integration/test_links.py",
    }


def test_a_view_that_only_the_list_of_addresses_imports_touches_whoever_may_open_it() -> None:
    assert chosen("governance/people/web.py") == {
        "tests/integration/test_people_page.py",
        "tests/integration/test_links.py",
    }


def test_the_admin_of_a_subject_touches_whoever_may_open_the_admin() -> None:
    assert chosen("governance/people/admin.py") == {
        "tests/integration/test_admin.py",
        "tests/integration/test_links.py",
    }


def test_what_is_loaded_by_name_touches_whoever_starts_it() -> None:
    assert chosen("governance/people/listeners.py") == integration()
    assert chosen("governance/people/middle.py") == PAGES
    assert chosen("governance/people/tasks.py") == {"tests/integration/test_ticks.py"}
    assert chosen("governance/prices/urls.py") == PAGES


def test_a_template_touches_whoever_may_open_a_page_that_draws_it() -> None:
    assert chosen("templates/governance/prices/row.html") == {
        "tests/integration/test_prices_page.py",
        "tests/integration/test_links.py",
    }
    assert chosen("templates/layouts/head.html") == PAGES
    assert chosen("templates/account/login.html") == PAGES  # another library draws it


@pytest.mark.parametrize(
    "path", ["pyproject.toml", "requirements/dev.txt", "tests/conftest.py", "config/settings/base.py", "strange.bin"]
)
def test_some_files_touch_everything(path: str) -> None:
    assert chosen(path) == every()


def test_a_migration_touches_every_test_with_a_database() -> None:
    assert chosen("governance/prices/migrations/0002_more.py") == integration()


def test_a_removed_module_touches_everything_and_a_removed_test_nothing() -> None:
    assert chosen("governance/prices/gone.py") == every()
    assert choose(["tests/unit/test_gone.py"], tree()).distances == {}


def test_a_test_touches_itself_alone() -> None:
    assert choose(["tests/unit/test_other.py"], tree()).distances == {"tests/unit/test_other.py": 0}


def test_a_conftest_touches_its_folder() -> None:
    assert chosen("tests/integration/conftest.py") == integration()


def test_data_touches_who_names_its_folder_and_samples_the_tests_beside_them() -> None:
    assert chosen("governance/rules/policies/default.yaml") == {"tests/unit/test_policy.py"}
    assert chosen("tests/unit/samples/one.csv") == {
        "tests/unit/samples/test_sample.py",
        *(f"tests/unit/test_{name}.py" for name in ("domain", "other", "policy")),
    }


def test_a_document_touches_the_tests_of_documents() -> None:
    assert set(choose(["docs/explanation/cost.md"], tree()).distances) == {"tests/architecture/test_all.py"}


def test_reasons_are_told_with_what_each_adds() -> None:
    choice = Choice()
    choice.add("first", {"a": 3, "b": 1})
    choice.add("second", {"a": 0, "c": 1})
    choice.add("nothing new", {"a": 5})
    assert choice.ordered() == ["a", "b", "c"]
    assert told(choice, 1, 2_000) == ["1 changed files -> 3 test files of 2,000", "      2  first", "      1  second"]


@pytest.mark.parametrize(
    ("text", "is_it"),
    [
        (f"/prices/{GAP}/", True),
        ("/prices/7/", True),
        ("/prices/7/?page=2", True),
        (f"{GAP}/7/", True),
        (f"/{GAP}/", True),
        ("s/7/", True),
        ("https://weighbridge.test/prices/7/", True),
        ("/prices/", False),
        ("/prices/7/more/", False),
        ("/price/7/", False),
        ("prices", False),
        ("in /prices/7/ words", False),
    ],
)
def test_texts_that_may_be_an_address(text: str, is_it: bool) -> None:
    assert may_be(text, f"/prices/{GAP}/") is is_it


def test_a_page_is_opened_by_its_name_too() -> None:
    assert opened(["governance:price"], ROUTES)
    assert not opened(["governance:budget", ""], ROUTES)


def test_templates_are_followed_through_includes_and_tags() -> None:
    contents = tree().templates
    assert templates_with(["layouts/head.html"], contents) == {
        "layouts/head.html",
        "layouts/base.html",
        "governance/prices/page.html",
    }
    assert templates_that_load("people", contents) == {"governance/prices/row.html"}


def test_what_a_file_says() -> None:
    found = read(
        '"""Of docs."""\nimport a.b as c\nfrom d import e as f\nif TYPE_CHECKING:\n    from g import h\n'
        'def test_it(i, *, j=1):\n    """Of docs."""\n    k(f"/x/{i}/" + "y", l="z")\n'
    )
    assert found.imports == {"a.b", "d.e"}
    assert {"c", "f", "i", "j", "k", "l"} <= found.names
    assert {f"/x/{GAP}/y", "z"} <= found.texts
    assert not any("docs" in text for text in found.texts)
    assert (found.follows, found.parts) == (False, {})


@pytest.mark.parametrize(
    ("call", "is_it"),
    [
        ('client.get("/x/")', False),
        ("client.get(path)", False),
        ("client.get(path_of(row))", False),
        ("client.get(answer.url)", True),
        ('client.get(answer["Location"])', True),
        ("client.get(row.get_absolute_url())", True),
        ("client.post(path, follow=True)", True),
    ],
)
def test_what_follows_an_address(call: str, is_it: bool) -> None:
    assert read(call).follows is is_it


def test_a_fixture_for_every_test_is_in_the_file_itself() -> None:
    found = read(
        "from a import b, c\n@fixture(autouse=True)\ndef always():\n    b\n@fixture\ndef asked():\n    c\n",
        has_parts=True,
    )
    assert (found.imports, set(found.parts)) == ({"a.b"}, {"asked"})
    assert found.parts["asked"].imports == {"a.c"}


def test_names_of_modules() -> None:
    assert module_of("governance/prices/__init__.py") == "governance.prices"
    assert module_of("benchmarking/toolkit/src/weighbridge/cli/app.py") == "weighbridge.cli.app"
    assert is_test("tests.unit.test_other")
    assert not is_test("tests.unit.other")


def git(root: Path, *arguments: str) -> None:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    subprocess.run(["git", *who, *arguments], cwd=root, check=True, capture_output=True)


def write(root: Path, names: Iterable[str], content: str = "") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def test_the_change_is_what_differs_from_where_the_branch_began(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    write(tmp_path, ["kept.py", "moved.py", "removed.py", "a b.py"], "x = 1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "one")
    assert changed_since(tmp_path, base_of(tmp_path)) == set()
    git(tmp_path, "checkout", "-qb", "branch")
    git(tmp_path, "mv", "moved.py", "there.py")
    git(tmp_path, "commit", "-qam", "two")
    (tmp_path / "removed.py").unlink()
    write(tmp_path, ["new.py", "a b.py"], "x = 2\n")
    expected = {"moved.py", "there.py", "removed.py", "new.py", "a b.py"}
    assert changed_since(tmp_path, base_of(tmp_path)) == expected
    assert changed_since(tmp_path, "HEAD") == expected - {"moved.py", "there.py"}
    assert set(tree_of(tmp_path).graph.paths) == {"kept", "there", "new", "a b"}
    with pytest.raises(SystemExit, match="nowhere"):
        changed_since(tmp_path, "nowhere")


def test_without_a_main_branch_the_base_is_the_last_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "other")
    assert base_of(tmp_path) == "HEAD"


def test_a_file_is_read_again_when_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, ["one.py"], "import a\n")
    assert readings(tmp_path, ["one.py"]) == {"one.py": Reading(frozenset({"a"}), frozenset({"a"}))}
    with monkeypatch.context() as patches:
        patches.setattr("tests.changed.reading.read", None)
        assert readings(tmp_path, ["one.py"])["one.py"].imports == {"a"}
    write(tmp_path, ["one.py"], "import b\n")
    assert readings(tmp_path, ["one.py"])["one.py"].imports == {"b"}
    (tmp_path / CACHE).write_text("{")
    assert readings(tmp_path, ["one.py"])["one.py"].imports == {"b"}
