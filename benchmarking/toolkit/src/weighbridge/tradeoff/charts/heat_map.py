"""The heat map: a decision matrix as a chart; the better a value, the darker its cell."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weighbridge.charts.drawing import Chart, altair, chart_from_rows, chart_of
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.charts.theme import INK, INK_SOFT, LABEL_PX, PAPER, PETROL, RED
from weighbridge.cli.tables.terminal import number
from weighbridge.tradeoff.charts.words import capital
from weighbridge.tradeoff.matrix.decided import MatrixDecision, OptionPlace
from weighbridge.tradeoff.matrix.decision_matrix import Criterion, Matrix

# Cells with this share or more are so dark that their numbers must be white.
DARK_FROM = 0.55
ROW_PX, LETTER_PX = 64, 7.2
SCORE = "weighted sum"
# A bar separates the two lines of a label.
TWO_LINES = "split(datum.label, '|')"


def heat_map(decision: MatrixDecision) -> Chart:
    """Draw options by criteria: darker is better, rejected options have dashed outlines, the score is last."""
    alt = altair()
    matrix = decision.matrix
    rows = [row for place in decision.places for row in _row(decision, place)]
    x = alt.X(
        "criterion:N",
        sort=[*(_head(matrix, each) for each in matrix.criteria), SCORE],
        title=None,
        axis=alt.Axis(
            orient="top", labelAngle=0, labelLimit=160, labelExpr=TWO_LINES, labelPadding=20, domain=False, ticks=False
        ),
    )
    # The reader's font may be wider than the one used to measure the labels.
    room = min(LETTER_PX * max(len(place.name) for place in decision.places), 230)
    y = alt.Y(
        "option:N",
        sort=[_name(decision, each) for each in decision.places],
        title=None,
        axis=alt.Axis(labelLimit=230, minExtent=room, labelExpr=TWO_LINES, domain=False, ticks=False),
    )
    shades = alt.Scale(domain=[0, 1], range=["#ffffff", PETROL], interpolate="rgb")
    inside, outside = [row for row in rows if row["share"] is not None], [row for row in rows if row["share"] is None]
    layers = [
        chart_from_rows(inside)
        .mark_rect(stroke=INK_SOFT, strokeWidth=0.8)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "share:Q",
                scale=shades,
                title="0 worst, 1 best",
                legend=alt.Legend(orient="bottom", format=".1f", gradientLength=220),
            ),
        ),
        chart_from_rows(outside).mark_rect(fill=PAPER, stroke=RED, strokeWidth=1, strokeDash=[3, 3]).encode(x=x, y=y),
        *(
            _words(rows, dark=dark, second=second).encode(x=x, y=y, text=f"{'below' if second else 'words'}:N")
            for dark in (False, True)
            for second in (False, True)
        ),
    ]
    picture = alt.layer(*layers).properties(height=ROW_PX * len(decision.places))
    title = capital(f"{matrix.title}: options by criteria")
    return chart_of(picture, title=title, alt=_alt(decision, title), table=_table(decision, title))


def _words(rows: Sequence[Mapping[str, Any]], *, dark: bool, second: bool) -> Any:
    """Return one of the two text lines of a cell, black on light or white on dark cells."""
    kept = [row for row in rows if row["is_dark"] is dark]
    return chart_from_rows(kept).mark_text(
        color=PAPER if dark else INK, fontSize=LABEL_PX - (1 if second else -1), dy=10 if second else -7
    )


def _row(decision: MatrixDecision, place: OptionPlace) -> Iterator[dict[str, Any]]:
    matrix, name = decision.matrix, _name(decision, place)
    for criterion in matrix.criteria:
        share, value = place.shares.get(criterion.id), _value(matrix, place, criterion)
        yield _cell(name, _head(matrix, criterion), share, value, _below(matrix, place, criterion, share))
    score = "rejected" if place.score is None else f"{place.score:.3f}"
    below = f"P(best) {place.p_best:.1%}" if place.p_gates is not None else ""
    yield _cell(name, SCORE, place.score, score, below)


def _cell(option: str, criterion: str, share: float | None, words: str, below: str) -> dict[str, Any]:
    is_dark = share is not None and share >= DARK_FROM
    texts = {"words": words, "below": below}
    return {"option": option, "criterion": criterion, "share": share, **texts, "is_dark": is_dark}


def _below(matrix: Matrix, place: OptionPlace, criterion: Criterion, share: float | None) -> str:
    """Return the text below an estimate: its share, or that it misses the gate."""
    if share is not None:
        return f"{share:.2f}"
    cell = matrix.cells_of(place.name).get(criterion.id)
    is_missed = cell is not None and criterion.limit is not None and not criterion.limit.holds(cell.estimate)
    return f"gate: {criterion.gate_words()}" if is_missed else ""


def _value(matrix: Matrix, place: OptionPlace, criterion: Criterion) -> str:
    cell = matrix.cells_of(place.name).get(criterion.id)
    return EMPTY_CELL if cell is None else criterion.with_unit(number(cell.estimate.value))


def _head(matrix: Matrix, criterion: Criterion) -> str:
    return f"{criterion.name}|{matrix.weights.values[criterion.id]:.0%}"


def _name(decision: MatrixDecision, place: OptionPlace) -> str:
    if decision.winner is not None and place.name == decision.winner.name:
        return f"{place.name}|chosen"
    return place.name if place.rank is not None else f"{place.name}|rejected"


def _alt(decision: MatrixDecision, title: str) -> str:
    order = ", ".join(f"{each.name} {each.score:.3f}" for each in decision.ranked) or "nobody passes the gates"
    out = ", ".join(each.name for each in decision.rejected)
    return f"{title}. Weighted sums: {order}." + (f" Rejected: {out}." if out else "")


def _table(decision: MatrixDecision, title: str) -> Table:
    """Return estimates with shares, both scores and the shares of draws, for every option."""
    matrix = decision.matrix
    heads = (
        "option",
        *(f"{each.with_unit(each.name)} ({matrix.weights.values[each.id]:.0%})" for each in matrix.criteria),
        "weighted sum",
        "TOPSIS",
        "P(best)",
        "wins, weights near",
        "wins, any weights",
        "stands",
    )
    rows = tuple(
        (
            place.name,
            *(_cell_text(matrix, place, each) for each in matrix.criteria),
            *(EMPTY_CELL if score is None else f"{score:.3f}" for score in (place.score, place.closeness)),
            *(
                EMPTY_CELL if place.p_gates is None else f"{share:.1%}"
                for share in (place.p_best, place.wins_near, place.wins_any)
            ),
            f"{place.rank}." if place.rank is not None else "rejected: " + " ".join(place.reasons),
        )
        for place in decision.places
    )
    return Table(title, heads, rows, frozenset(range(1, len(heads) - 1)))


def _cell_text(matrix: Matrix, place: OptionPlace, criterion: Criterion) -> str:
    cell = matrix.cells_of(place.name).get(criterion.id)
    if cell is None:
        return EMPTY_CELL
    share = place.shares.get(criterion.id)
    return number(cell.estimate.value) + ("" if share is None else f" [{share:.2f}]")
