"""What a person sees at the terminal of a comparison and of a run repeated."""

from collections.abc import Mapping
from typing import Any, TextIO

from weighbridge.cli.tables.terminal import console, number

ANSWERS = {
    "baseline": "baseline",
    "faster": "faster",
    "slower": "slower",
    "tied": "tied",
    "unknown": "cannot tell",
    "equivalent": "equivalent",
    "different": "different",
    "cannot_tell": "cannot tell",
}


def show_comparison(document: Mapping[str, Any], stream: TextIO) -> None:
    """Write each model's median, speed-up and paired drops with their bounds, the ranks, and the verdict with its
    reasons.
    """
    from rich.table import Table

    table = Table(title=f"compared with {document['baseline']}", title_justify="left")
    for heading in ("model", "MB", "median ms", "speed-up", "speed"):
        table.add_column(heading, justify="left" if heading in ("model", "speed") else "right", overflow="fold")
    for found in document["candidates"]:
        held = found["metrics"]
        figures = (
            number(held["model_size_mb"]["value"]),
            between(held.get("latency_p50_ms")),
            between(found["speed_up"]),
        )
        table.add_row(found["name"], *figures, ANSWERS[found["answer"]])
    out = console(stream)
    out.print(table)
    for found in document["candidates"]:
        for drop in found["quality_drops"]:
            word = "within" if drop["is_non_inferior"] else "not shown to be within"
            text = f"{found['name']}: {drop['metric']} worse by {between(drop)}, {word} {drop['margin']:g}"
            out.print(text, markup=False, soft_wrap=True)
    floor = document["noise_floor"]
    if floor is not None:
        out.print(f"noise floor: {floor:.1%}, what the baseline differs from itself", markup=False)
    out.print("quickest first: " + ", then ".join(" = ".join(rank) for rank in document["ranks"]), markup=False)
    _show_verdict(document["verdict"], out)


def show_rerun(document: Mapping[str, Any], stream: TextIO) -> None:
    """Write each figure then and now, whether they are equivalent, what else differs, and the answer."""
    from rich.table import Table

    table = Table(title=f"repeated, within {document['margin']:.0%}", title_justify="left")
    for heading in ("figure", "then", "now", "ratio", "answer"):
        table.add_column(heading, justify="left" if heading in ("figure", "answer") else "right", overflow="fold")
    for found in document["figures"]:
        answer = ANSWERS[found["answer"]]
        table.add_row(found["metric"], number(found["then"]), number(found["now"]), between(found, key="ratio"), answer)
    out = console(stream)
    out.print(table)
    for each in document["differences"]:
        out.print(f"differs: {each['fact']} was {each['then']}, is {each['now']}", markup=False, soft_wrap=True)
    for text in document["reasons"]:
        out.print(f"  {text}", markup=False)
    out.print(f"answer: {ANSWERS[document['answer']]}", markup=False)


def between(figure: Mapping[str, Any] | None, *, key: str = "value") -> str:
    """Write a figure and its bounds; nothing for none."""
    if figure is None:
        return ""
    return f"{number(figure[key])} [{number(figure['lower'])}, {number(figure['upper'])}]"


def _show_verdict(verdict: Mapping[str, Any], out: Any) -> None:
    out.print(f"verdict: {verdict['status']}", markup=False)
    for reason in verdict["reasons"]:
        out.print(f"  {reason['code']}: {reason['message']}", markup=False, soft_wrap=True)
