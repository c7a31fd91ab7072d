"""The page of real models: it covers the catalog, and a measurement gives the recorded cells again."""

import json

import pytest

from config.reference.models import COMMANDS, models
from tests.models.packages import catalog
from tests.models.run import RESULTS, cells_of

STORED = {model["name"]: model for model in json.loads(RESULTS.read_text())}


def test_the_catalog_has_thirty_models_of_many_kinds_and_packages_with_digests() -> None:
    document = catalog()
    assert len({model["name"] for model in document["models"]}) == len(document["models"]) >= 30
    assert len({model["kind"] for model in document["models"]}) >= 12
    assert {model["package"] for model in document["models"]} == set(document["packages"])
    assert all(len(package["sha256"]) == 64 for package in document["packages"].values())


def test_every_model_has_a_recorded_answer_of_every_command() -> None:
    assert list(STORED) == [model["name"] for model in catalog()["models"]]
    for model in STORED.values():
        assert set(model["cells"]) <= set(COMMANDS)
        assert {"profile", "quality", "optimize", "compare"} <= set(model["cells"])
        assert model["cells"]["profile"] == {"answer": "works"}
        for cell in model["cells"].values():
            assert ("reason" in cell) is (cell["answer"] != "works")


def test_the_page_numbers_the_reasons_and_knows_no_other_answer(tmp_path) -> None:
    cells = {"profile": {"answer": "works"}, "quality": {"answer": "refused", "reason": "It has no output."}}
    (tmp_path / "m.json").write_text(json.dumps([{"name": "a", "kind": "trees", "cells": cells}]))
    text = models(tmp_path / "m.json")
    missing = "not run (2) | not run (2) | not run (3) | not run (4) | not run (4)"
    assert f"| a | trees | works | refused (1) | {missing} |" in text
    reasons = ("It has no output.", "It was not measured.", "There was no browser.", "There was no graphics card.")
    assert "\n".join(f"{number}. {reason}" for number, reason in enumerate(reasons, 1)) in text
    cells["profile"]["answer"] = "perhaps"
    (tmp_path / "m.json").write_text(json.dumps([{"name": "a", "kind": "trees", "cells": cells}]))
    with pytest.raises(ValueError, match="perhaps is no answer"):
        models(tmp_path / "m.json")


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["Silero VAD", "PP-OCR direction", "Traffic setback"])
def test_a_measurement_gives_the_recorded_cells(name, tmp_path) -> None:
    model = next(model for model in catalog()["models"] if model["name"] == name)
    recorded = {command: cell for command, cell in STORED[name]["cells"].items() if command != "device"}
    assert cells_of(model, tmp_path) == recorded
