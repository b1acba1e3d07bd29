"""The price book in force, and taking a newer one: shown with its differences first, then taken."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from controlplane.catalog.costing import Pricer, pricer
from controlplane.catalog.pricebook import dump_book, parse_book
from controlplane.domain.cost.book import Price, PriceBook, PriceChange, Refresh, diff_books
from controlplane.domain.cost.estimate import plain
from controlplane.domain.errors import FieldError, Invalid, Missing, Unavailable
from controlplane.domain.money import cents
from controlplane.services import asking
from controlplane.services.actor import Action, Actor
from controlplane.services.asking import Way
from controlplane.services.control import Ask, Control
from controlplane.services.costs.asked import Prices, Refreshing
from controlplane.services.once import Done
from controlplane.store import audit

_PROPOSAL = "proposed-{}.csv"


def in_force(control: Control) -> Pricer:
    return pricer(control.prices, today(control))


def today(control: Control) -> date:
    return control.now().date()


def usd(amount: Decimal | None) -> str | None:
    """Money as every answer carries it: text with two decimals, unknown as null."""
    return None if amount is None else str(cents(amount))


def check_region(control: Control, book: PriceBook, region: str) -> str:
    """The region that is meant. One of the catalog without prices is fine: its cost is unknown."""
    wanted = region or control.region
    if wanted not in control.catalog.regions and wanted not in book.regions:
        known = ", ".join(sorted({*control.catalog.regions, *book.regions}))
        message = f"{wanted!r} is no region of the catalog; known: {known}"
        raise Invalid(message, errors=[FieldError("region", message)])
    return wanted


def about(book: PriceBook) -> dict[str, Any]:
    return {"name": book.name, "dated": book.dated.isoformat(), "regions": list(book.regions)}


# --- showing ----------------------------------------------------------------------------------------


def show(control: Control, actor: Actor, wanted: Prices) -> dict[str, Any]:
    actor.require(Action.READ_FLEET)
    book = in_force(control).book
    rows = [
        price
        for price in book.entries.values()
        if price.region == (wanted.region or price.region) and price.key.startswith(wanted.q)
    ]
    if wanted.region:
        check_region(control, book, wanted.region)
    return {
        "book": about(book),
        "taken": _taken_file(control, book),
        "unknown": sum(price.usd is None for price in rows),
        "expired": [f"{p.key}@{p.region}" for p in book.expired(today(control))],
        "items": [_price(price) for price in rows],
        "next_page_token": None,
    }


def _price(price: Price) -> dict[str, Any]:
    return {
        "key": price.key,
        "region": price.region,
        "unit": price.unit,
        "usd": None if price.usd is None else plain(price.usd),
        "kind": price.kind,
        "valid_from": price.valid_from.isoformat(),
        "valid_until": price.valid_until.isoformat() if price.valid_until else None,
        "source": price.source,
        "note": price.note,
    }


def _taken_file(control: Control, book: PriceBook) -> str | None:
    """Its name, where somebody took this book; None for the one that ships."""
    name = f"{book.name}-{book.dated.isoformat()}.csv"
    return name if control.prices is not None and (control.prices / name).is_file() else None


# --- refreshing -------------------------------------------------------------------------------------


def refresh(control: Control, actor: Actor, wanted: Refreshing, way: Way) -> Done:
    """Ask for a new dated book and show what it would change; take it when that is said.

    The asking is over before anything is written. A book that was shown is kept by its digest, so that
    what is taken is what was seen.
    """
    actor.require(Action.CHANGE_FLEET)
    folder = _folder(control)
    before = in_force(control).book
    found = None if wanted.digest or way.dry_run else _ask(control, before, wanted)
    fresh = found.book if found else _proposed(folder, wanted.digest) if wanted.digest else before
    view = _view(before, fresh, found)

    def take(within: Control, ask: Ask) -> dict[str, Any]:
        if wanted.accept:
            _record(within, actor, ask, view)
        if not way.dry_run:
            _write(folder, fresh, str(view["digest"]), accept=wanted.accept)
        return {**view, "taken": wanted.accept and not way.dry_run}

    return asking.do(control, actor, way, take, 200)


def _folder(control: Control) -> Path:
    if control.prices is None:
        raise Unavailable("this control plane keeps no price books", hint="set CONTROLPLANE_DATA_DIR")
    return control.prices


def _ask(control: Control, book: PriceBook, wanted: Refreshing) -> Refresh:
    if control.price_source is None:
        raise Unavailable("this control plane has no source of prices")
    regions = tuple(check_region(control, book, region) for region in wanted.regions)
    return control.price_source().refresh(book, today(control), regions)


def _proposed(folder: Path, digest: str) -> PriceBook:
    """The book that was shown under this digest, or under its beginning."""
    found = sorted(folder.glob(_PROPOSAL.format(f"{digest}*"))) if folder.is_dir() else []
    if len(found) != 1 or len(digest) < 6:
        message = f"no refreshed price book was shown as {digest!r}"
        raise Missing(message, hint="controlplane cost prices --refresh")
    return parse_book("list", found[0].read_text(encoding="utf-8"))


def _view(before: PriceBook, fresh: PriceBook, found: Refresh | None) -> dict[str, Any]:
    text = dump_book(fresh)[1]
    return {
        "digest": hashlib.sha256(text.encode()).hexdigest()[:12],
        "before": about(before),
        "after": about(fresh),
        "answered": found.answered if found else None,
        "kept": list(found.kept) if found else [],
        "unanswered": dict(found.unanswered) if found else {},
        "changes": [_change(change) for change in diff_books(before, fresh)],
    }


def _change(change: PriceChange) -> dict[str, Any]:
    return {
        "key": change.key,
        "region": change.region,
        "what": change.what,
        "before": None if change.before is None else plain(change.before),
        "after": None if change.after is None else plain(change.after),
        "percent": None if change.percent is None else str(change.percent),
    }


def _record(control: Control, actor: Actor, ask: Ask, view: dict[str, Any]) -> None:
    told = {name: view[name] for name in ("digest", "before", "after")} | {"changes": len(view["changes"])}
    with control.db.write() as session:
        audit.append(
            session,
            at=control.now(),
            actor=actor.name,
            action="prices.taken",
            subject="prices/list",
            reason=ask.reason,
            request_id=ask.request_id,
            origin=actor.origin,
            after=told,
        )


def _write(folder: Path, book: PriceBook, digest: str, *, accept: bool) -> None:
    """Whole or not at all; a proposal that was taken is one no longer."""
    name, text = dump_book(book)
    proposal = folder / _PROPOSAL.format(digest)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / name if accept else proposal
    partial = folder / f".{target.name}.partial"
    partial.write_text(text, encoding="utf-8")
    partial.replace(target)
    if accept:
        with suppress(FileNotFoundError):
            proposal.unlink()
