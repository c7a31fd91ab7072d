"""The alternatives of the demo count, and say what the story says."""

from pathlib import Path

import yaml

from examples.company.kinds.alternatives import compared_alternatives
from weighbridge.optimization.language.checked import checked_alternatives

STORY = Path(__file__).parents[4] / "examples/company/kinds/models.yaml"


def test_the_alternatives_of_the_demo_count(tmp_path):
    models = yaml.safe_load(STORY.read_text())["models"]
    (story,) = [model["alternatives"] for model in models if "alternatives" in model]
    document = compared_alternatives(story, folder=tmp_path)
    found = checked_alternatives(document, count=2)
    answers = {each.name: each.verdict.answer.value for each in found.candidates}
    assert answers == {"full": "baseline", "four-bit": "worth_it", "small": "no_gain"}
