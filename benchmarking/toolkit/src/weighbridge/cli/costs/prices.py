"""`weighbridge prices`: query the price book, alone or together with other lists, contracts and days."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.api.documents import write_json
from weighbridge.cli.exits import DONE, NO, errors_as_exits, stop, stream_beside
from weighbridge.costs.prices.book_options import book_of, day_of, fx_of

Sheets = Annotated[
    list[Path] | None, typer.Option("--list", help="Additional price list: a sheet or an imported list; repeatable.")
]
Rates = Annotated[Path | None, typer.Option(help="Negotiated rates of the organization, YAML.")]
Fx = Annotated[Path | None, typer.Option(help="Dated exchange rates for lists in other currencies, YAML.")]
Day = Annotated[str | None, typer.Option("--on", help="Use the prices of this day, like 2026-09-01; default: today.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")]


def list_prices(
    pattern: Annotated[str, typer.Argument(help="SKUs to list; * and ? are wildcards.")] = "*",
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    stale_days: Annotated[int, typer.Option(min=0, help="Days after which a price is old.")] = 180,
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of prices to print.")] = 100,
    json_file: Json = None,
) -> None:
    """List prices with source and day.

    Stale prices, and prices that sources disagree on, are marked.
    """
    from weighbridge.cli.tables.price_tables import show_prices

    with errors_as_exits(writes=(json_file,)):
        book = book_of(lists, rates, fx, on)
        prices = tuple(book.by_contract(price) for price in book.prices if fnmatchcase(price.sku, pattern))
        document = {"as_of": book.as_of.isoformat(), "snapshot": book.snapshot_id}
        write_json(json_file, {**document, "prices": [price.as_document() for price in prices]})
    if not prices:
        stop(f"No SKU matches {pattern!r}; a SKU looks like {book.skus[0]}.")
    people = stream_beside(json_file)
    show_prices(book, prices[:limit], people, stale_days=stale_days)
    if len(prices) > limit:
        typer.echo(f"and {len(prices) - limit:,} more; narrow the pattern or raise --limit.", file=people)


def show(
    sku: Annotated[str, typer.Argument(help="SKU, like aws/us-east-1/g5.xlarge or openai/gpt-4o-mini.")],
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    max_age_days: Annotated[int | None, typer.Option(min=0, help="Reject prices older than this.")] = None,
    json_file: Json = None,
) -> None:
    """Show every price of one SKU.

    Shown are terms, meters, price per GPU hour, other sources, contract and retirement.
    """
    from weighbridge.cli.tables.price_tables import show_offers

    with errors_as_exits(writes=(json_file,)):
        book = book_of(lists, rates, fx, on)
        offers = book.offers(sku, stale_days=max_age_days)
        write_json(json_file, {"sku": sku, "offers": [offer.as_document() for offer in offers]})
    show_offers(book, offers, stream_beside(json_file))


def import_list(
    form: Annotated[str, typer.Argument(help="skypilot, azure, aws or litellm.")],
    file: Annotated[Path, typer.Argument(help="The list as published by the provider.")],
    json_file: Annotated[Path, typer.Option("--json", help="Write the imported list to this file.")],
    as_of: Annotated[str | None, typer.Option(help="Day the list was fetched (not needed for aws).")] = None,
    provider: Annotated[str, typer.Option(help="Cloud of a SkyPilot list: aws, azure or gcp.")] = "",
    fx: Fx = None,
) -> None:
    """Import a published price list, to be named by --list.

    The rejected rows are reported.
    """
    from weighbridge.costs.prices.files.lists import list_document
    from weighbridge.costs.prices.importers.reading import read_file

    with errors_as_exits(writes=(json_file,)):
        imported = read_file(file, form=form, as_of=day_of(as_of), provider=provider, fx=fx_of(fx))
        write_json(json_file, list_document(imported))
    for fault in imported.faults[:20]:
        typer.echo(f"weighbridge: {fault.row}: {fault.field}: {fault.reason}", err=True)
    counts = f"{len(imported.prices):,} prices, {len(imported.retirements):,} retirements"
    text = f"{imported.name}: {counts}; {len(imported.faults):,} rows rejected, {imported.skipped:,} skipped."
    typer.echo(text, file=stream_beside(json_file))


def disagreements(
    lists: Sheets = None,
    fx: Fx = None,
    on: Day = None,
    tolerance: Annotated[str, typer.Option(help="Prices agree up to this share of the lowest price.")] = "0.01",
    limit: Annotated[int, typer.Option(min=1, help="Maximum number of prices to print.")] = 50,
    json_file: Json = None,
) -> None:
    """Show prices that sources disagree on, side by side.

    Exit code 1: there are some.
    """
    from weighbridge.cli.tables.price_tables import show_disagreements
    from weighbridge.costs.prices.importers.report import amount_of

    with errors_as_exits(writes=(json_file,)):
        share = amount_of(tolerance, field="tolerance", is_free_allowed=True)
        disputed = book_of(lists, None, fx, on).disagreements(tolerance=share)
        write_json(json_file, [each.as_document() for each in disputed])
    show_disagreements(disputed, limit, stream_beside(json_file))
    raise typer.Exit(NO if disputed else DONE)


def pin(
    skus: Annotated[list[str], typer.Argument(help="SKUs to pin.")],
    json_file: Annotated[Path, typer.Option("--json", help="Write the snapshot to this file.")],
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
) -> None:
    """Save all prices of some SKUs as a snapshot with a digest."""
    from weighbridge.costs.prices.files.snapshot import snapshot

    with errors_as_exits(writes=(json_file,)):
        book = book_of(lists, rates, fx, on)
        prices = [offer.price for sku in skus for offer in book.offers(sku)]
        pinned = snapshot(prices, as_of=book.as_of)
        write_json(json_file, pinned.as_document())
    text = f"{len(pinned.prices)} prices of {pinned.as_of}: {pinned.digest}"
    typer.echo(text, file=stream_beside(json_file))


def replay(
    file: Annotated[Path, typer.Argument(help="A price snapshot (JSON).")],
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    json_file: Json = None,
) -> None:
    """Compare a snapshot with current prices.

    Exit code 1: prices changed, or are missing now.
    """
    from weighbridge.cli.tables.price_tables import show_replay
    from weighbridge.costs.prices.files.lists import read_document
    from weighbridge.costs.prices.files.snapshot import read_snapshot
    from weighbridge.costs.prices.files.snapshot import replay as compare_prices

    with errors_as_exits(writes=(json_file,)):
        comparison = compare_prices(read_snapshot(read_document(file)), book_of(lists, rates, fx, on))
        write_json(json_file, comparison.as_document())
    show_replay(comparison, stream_beside(json_file))
    raise typer.Exit(NO if comparison.moved or comparison.gone else DONE)


COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_prices,
    "show": show,
    "import": import_list,
    "disagreements": disagreements,
    "pin": pin,
    "replay": replay,
}
