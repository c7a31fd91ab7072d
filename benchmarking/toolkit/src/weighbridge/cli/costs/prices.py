"""`weighbridge prices`: what the price book says, and what it says beside other lists, contracts and days."""

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.api.documents import write_json
from weighbridge.cli.exits import DONE, NO, stop
from weighbridge.core.errors import Refused
from weighbridge.costs.prices.chosen_book import book_of, day_of, fx_of

Sheets = Annotated[
    list[Path] | None, typer.Option("--list", help="A price list beside the book: a sheet or an import; more than one.")
]
Rates = Annotated[Path | None, typer.Option(help="Negotiated rates of the organization, YAML.")]
Fx = Annotated[Path | None, typer.Option(help="Dated exchange rates for lists in other currencies, YAML.")]
Day = Annotated[str | None, typer.Option("--on", help="Ask on this day, like 2026-09-01; else today.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")]
StaleDays = Annotated[int, typer.Option("--stale-days", min=0, help="Days after which a price is old.")]


def list_prices(
    pattern: Annotated[str, typer.Argument(help="SKUs to list, * and ? stand for anything.")] = "*",
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    stale_days: StaleDays = 180,
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many prices.")] = 100,
    json_file: Json = None,
) -> None:
    """List prices with their source and day; marks those that are old, and those that sources disagree on."""
    from weighbridge.cli.tables.price_tables import show_prices

    try:
        book = book_of(lists, rates, fx, on)
        found = tuple(book.by_contract(price) for price in book.prices if fnmatchcase(price.sku, pattern))
        if json_file is not None:
            document = {"as_of": book.as_of.isoformat(), "snapshot": book.snapshot_id}
            write_json(json_file, {**document, "prices": [price.as_document() for price in found]})
    except Refused as refused:
        stop(refused.reason)
    if not found:
        stop(f"No SKU is like {pattern!r}; SKUs are written {book.skus[0]}.")
    show_prices(book, found[:limit], stale_days=stale_days)
    if len(found) > limit:
        typer.echo(f"and {len(found) - limit:,} more: narrow the pattern, or raise --limit.")


def show(
    sku: Annotated[str, typer.Argument(help="SKU, like aws/us-east-1/g5.xlarge or openai/gpt-4o-mini.")],
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    max_age_days: Annotated[int | None, typer.Option(min=0, help="Refuse a price older than so many days.")] = None,
    json_file: Json = None,
) -> None:
    """Show every price of one SKU: each term and meter, what a GPU hour is, other opinions, contract and retirement."""
    from weighbridge.cli.tables.price_tables import show_offers
    from weighbridge.costs.prices.offers import offers_of

    try:
        book = book_of(lists, rates, fx, on)
        offers = offers_of(book, sku, stale_days=max_age_days)
        if json_file is not None:
            write_json(json_file, {"sku": sku, "offers": [offer.as_document() for offer in offers]})
    except Refused as refused:
        stop(refused.reason)
    show_offers(book, offers)


def import_list(
    form: Annotated[str, typer.Argument(help="skypilot, azure, aws or litellm.")],
    file: Annotated[Path, typer.Argument(help="The list as its maker publishes it.")],
    json_file: Annotated[Path, typer.Option("--json", help="Write the imported list to this file.")],
    as_of: Annotated[str | None, typer.Option(help="Day the list was fetched (aws: the file says it).")] = None,
    provider: Annotated[str, typer.Option(help="Cloud of a SkyPilot list: aws, azure, gcp.")] = "",
    fx: Fx = None,
) -> None:
    """Read somebody's price list into a file that the other commands take with --list; tells the rows it refused."""
    from weighbridge.costs.prices.files.lists import list_document
    from weighbridge.costs.prices.importers.reading import read_file

    try:
        found = read_file(file, form=form, as_of=day_of(as_of), provider=provider, fx=fx_of(fx))
        write_json(json_file, list_document(found))
    except Refused as refused:
        stop(refused.reason)
    for fault in found.faults[:20]:
        typer.echo(f"weighbridge: {fault.row}: {fault.field}: {fault.reason}", err=True)
    counts = f"{len(found.prices):,} prices, {len(found.retirements):,} retirements"
    typer.echo(f"{found.name}: {counts}; {len(found.faults):,} rows refused, {found.skipped:,} of another kind.")


def disagreements(
    lists: Sheets = None,
    fx: Fx = None,
    on: Day = None,
    tolerance: Annotated[str, typer.Option(help="Share of the cheapest up to which prices agree.")] = "0.01",
    limit: Annotated[int, typer.Option(min=1, help="Print at most so many.")] = 50,
    json_file: Json = None,
) -> None:
    """Show what two sources put apart, both prices beside one another: exit 1 where there is any."""
    from weighbridge.cli.tables.price_tables import show_disagreements
    from weighbridge.costs.prices.importers.report import amount_of

    try:
        share = amount_of(tolerance, field="tolerance", is_free_allowed=True)
        found = book_of(lists, None, fx, on).disagreements(tolerance=share)
        if json_file is not None:
            write_json(json_file, [each.as_document() for each in found])
    except Refused as refused:
        stop(refused.reason)
    show_disagreements(found, limit)
    raise typer.Exit(NO if found else DONE)


def pin(
    skus: Annotated[list[str], typer.Argument(help="SKUs whose prices are pinned.")],
    json_file: Annotated[Path, typer.Option("--json", help="Write the snapshot to this file.")],
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
) -> None:
    """Pin the prices of some SKUs, every term and meter, as a snapshot with a digest."""
    from weighbridge.costs.prices.files.snapshot import snapshot
    from weighbridge.costs.prices.offers import offers_of

    try:
        book = book_of(lists, rates, fx, on)
        prices = [offer.price for sku in skus for offer in offers_of(book, sku)]
        taken = snapshot(prices, as_of=book.as_of)
        write_json(json_file, taken.as_document())
    except Refused as refused:
        stop(refused.reason)
    typer.echo(f"{len(taken.prices)} prices of {taken.as_of}: {taken.digest}")


def replay(
    file: Annotated[Path, typer.Argument(help="A snapshot of prices, JSON.")],
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    json_file: Json = None,
) -> None:
    """Say what became of a snapshot's prices: what moved, by how much, and what is gone: exit 1 where anything did."""
    from weighbridge.cli.tables.price_tables import show_replay
    from weighbridge.costs.prices.files.lists import read_document
    from weighbridge.costs.prices.files.snapshot import read_snapshot
    from weighbridge.costs.prices.files.snapshot import replay as ask_again

    try:
        found = ask_again(read_snapshot(read_document(file)), book_of(lists, rates, fx, on))
        if json_file is not None:
            write_json(json_file, found.as_document())
    except Refused as refused:
        stop(refused.reason)
    show_replay(found)
    raise typer.Exit(NO if found.moved or found.gone else DONE)
