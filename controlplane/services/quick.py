"""Two reads without the weight of the others: one tenant, and a page of them by slug.

For an actor who sees everything, on SQLite. None says: ask the long way, which answers the same and knows
every other question, and every error. Imports next to nothing, since a command's start waits for it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from controlplane.domain.money import from_micro
from controlplane.domain.names import parse_slug
from controlplane.domain.tenant import customer_class
from controlplane.services.fields import SLOT, TENANT
from controlplane.store.quick import FILTERS, QuickCatalog, Row

_URL = "sqlite:///"
_LARGEST_PAGE = 200
_MOST_KEPT = 20_000
_CLAIMS = ("paying", "sla", "sensitive", "unverified")
_TIMES = ("created_at", "updated_at", "ready_at", "torn_down_at")


@dataclass(frozen=True)
class _Kept:
    """Of one version of the catalog."""

    version: int = -1
    tenants: dict[str, tuple[int, bytes]] = field(default_factory=dict)  # by slug
    rows: dict[str, bytes] = field(default_factory=dict)  # of pages, by uid

    @property
    def is_full(self) -> bool:
        return len(self.tenants) + len(self.rows) > _MOST_KEPT


class Quick:
    def __init__(self, catalog: QuickCatalog) -> None:
        self._catalog = catalog
        self._current = False
        self._kept = _Kept()

    def tenant(self, slug: str) -> dict[str, Any] | None:
        """As `tenants.show` answers it."""
        parse_slug(slug)
        try:
            row = self._catalog.tenant(slug) if self._usable() else None
            if row is None:
                return None
            uid = row["uid"]
            view = _view(row, self._catalog.labels([uid])[uid])
            view["slots"] = [_slot(s) for s in self._catalog.slots(uid, SLOT)]
            view["open_operation"] = self._catalog.open_operation(f"tenant-{uid}")
        except (sqlite3.Error, ValueError):
            return None
        return view

    def page(self, query: Mapping[str, Any]) -> dict[str, Any] | None:
        """As `fleet.page` answers it, for filters that are columns and the order of slugs."""
        asked = _question(query)
        try:
            rows = self._catalog.page(*asked.parts) if asked and self._usable() else None
            if rows is None or asked is None:
                return None
            items = self._views(rows[: asked.size])
        except (sqlite3.Error, ValueError):
            return None
        return {"items": items, "next_page_token": asked.following([row["slug"] for row in rows])}

    # A server that is asked thousands of times a second keeps its answers as text, until anybody writes to
    # the catalog. For one thread.

    def tenant_text(self, slug: str) -> tuple[int, bytes] | None:
        """Its revision, and `tenant` as JSON."""
        try:
            kept = self._kept_now().tenants if self._usable() else {}
        except (sqlite3.Error, ValueError):
            return None
        if slug not in kept:
            found = self.tenant(slug)
            if found is None:
                return None
            kept[slug] = found["revision"], compact(found)
        return kept[slug]

    def page_text(self, query: Mapping[str, Any]) -> bytes | None:
        """`page` as JSON."""
        asked = _question(query)
        try:
            if asked is None or not self._usable():
                return None
            kept = self._kept_now().rows
            places = self._catalog.places(*asked.parts)
            uids = [uid for uid, _ in places[: asked.size]]
            missing = [uid for uid in uids if uid not in kept]
            for view in self._views(self._catalog.by_uid(missing)) if missing else ():
                kept[view["uid"]] = compact(view)
            items = b",".join([kept[uid] for uid in uids])
        except (sqlite3.Error, ValueError, KeyError):
            return None
        token = compact(asked.following([slug for _, slug in places]))
        return b'{"items":[' + items + b'],"next_page_token":' + token + b"}"

    def _kept_now(self) -> _Kept:
        version = self._catalog.version()
        if version != self._kept.version or self._kept.is_full:
            self._kept = _Kept(version)
        return self._kept

    def close(self) -> None:
        """Of this thread's connection."""
        self._catalog.close()

    def _views(self, rows: list[Row]) -> list[dict[str, Any]]:
        labels = self._catalog.labels([row["uid"] for row in rows]) if rows else {}
        return [_view(row, labels[row["uid"]]) for row in rows]

    def _usable(self) -> bool:
        """Looked up once: a catalog is not migrated under a running program."""
        self._current = self._current or self._catalog.is_current()
        return self._current


def open_quick(database_url: str) -> Quick | None:
    """None where the catalog is no SQLite file that is there."""
    if not database_url.startswith(_URL):
        return None
    file = Path(database_url.removeprefix(_URL)).absolute()
    return Quick(QuickCatalog(file, TENANT)) if file.is_file() else None


# --- views ------------------------------------------------------------------------------------------


def _view(row: Row, labels: Mapping[str, str]) -> dict[str, Any]:
    for name in _CLAIMS:
        row[name] = bool(row[name])
    for name in _TIMES:
        row[name] = _moment(row[name])
    cost = row["monthly_usd"]
    row["monthly_usd"] = None if cost is None else f"{Decimal(from_micro(cost)):.2f}"
    row["labels"] = labels
    row["customer_class"] = customer_class(row["locations"], row["users"]).value
    return row


def _moment(text: str | None) -> str | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC).isoformat()


def _slot(row: Row) -> dict[str, Any]:
    return {**row, "multi_az": bool(row["multi_az"]), "final_snapshot": json.loads(row["final_snapshot"])}


def compact(value: Any) -> bytes:
    """As the HTTP door writes JSON."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


# --- questions, and page tokens: those of the listing --------------------------------------------------


@dataclass(frozen=True)
class _Question:
    filters: Mapping[str, Any]
    q: str
    after: str
    size: int
    mark: str

    @property
    def parts(self) -> tuple[Mapping[str, Any], str, str, int]:
        """One row more than wanted says whether there are others."""
        return self.filters, self.q, self.after, self.size + 1

    def following(self, slugs: Sequence[str]) -> str | None:
        return _token(self.mark, slugs[self.size - 1]) if len(slugs) > self.size else None


def _question(query: Mapping[str, Any]) -> _Question | None:
    """None for what only the long way answers."""
    given = {name: value for name, value in query.items() if value not in (None, "", [])}
    size = given.pop("page_size", 50)
    q, token = given.pop("q", ""), given.pop("page_token", "")
    if given.pop("sort", "slug") != "slug" or given.keys() - set(FILTERS) or not 1 <= size <= _LARGEST_PAGE:
        return None
    mark = _mark(given, q)
    after = _place(token, mark) if token else ""
    return None if after is None else _Question(given, q, after, size, mark)


def _mark(given: Mapping[str, Any], q: str) -> str:
    wanted: dict[str, Any] = {**{name: given.get(name) for name in FILTERS}, "labels": {}, "q": q}
    question = [wanted, {"column": "slug", "descending": False}]
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:12]


def _token(mark: str, slug: str) -> str:
    content = json.dumps([mark, slug, slug], separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).rstrip(b"=").decode()


def _place(token: str, mark: str) -> str | None:
    try:
        found = json.loads(base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)))
    except (ValueError, RecursionError):
        return None
    good = isinstance(found, list) and len(found) == 3 and found[0] == mark and isinstance(found[2], str)
    return found[2] if good and found[1] == found[2] else None
