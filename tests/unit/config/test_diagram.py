"""The generated lifecycle page shows every state and every step."""

from config.reference.diagram import LIFECYCLES, REQUEST, lifecycle


def test_mermaid_has_one_entry_one_arrow_per_step_and_the_ends() -> None:
    lines = REQUEST.mermaid().splitlines()
    assert lines[:3] == ["stateDiagram-v2", "    [*] --> draft", "    draft --> screening: submit (requester)"]
    assert lines[-3:] == ["    decided --> [*]", "    withdrawn --> [*]", "    expired --> [*]"]
    assert len(lines) == 2 + len(REQUEST.steps) + 3


def name(state: str) -> str:
    return state.replace("_", " ")


def test_page_holds_every_state_and_step_of_every_lifecycle() -> None:
    page = lifecycle()
    assert (
        "\n| changes requested | evidence | revise | requester | none "
        "| revision n+1 opened; the difference is shown to reviewers |\n"
    ) in page
    assert "\n| expired | system | its time is over; the gate refuses |\n" in page
    headings = [page.index(f"\n## {each.heading}\n") for each in LIFECYCLES]
    assert headings == sorted(headings)
    for each in LIFECYCLES:
        assert all(f"\n| {name(state)} | {state.owner.words} | {state.meaning} |\n" in page for state in each.states)
        assert all(f"\n| {name(step.source)} | {name(step.target)} | " in page for step in each.steps)
