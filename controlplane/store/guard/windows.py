"""Change windows: when changes are allowed or denied. What they mean for a moment is decided elsewhere."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session
from sqlmodel import col

from controlplane.domain.errors import AlreadyExists, Missing
from controlplane.store.database import changed_rows, insert_if_absent
from controlplane.store.tables import Window


def add(session: Session, window: Window) -> None:
    if not insert_if_absent(session, Window, window.model_dump()):
        raise AlreadyExists(f"there is a window {window.id!r} already")


def remove(session: Session, window_id: str) -> None:
    if not changed_rows(session, delete(Window).where(col(Window.id) == window_id)):
        raise Missing(f"there is no window {window_id!r}", hint="controlplane window list")


def every(session: Session) -> list[Window]:
    query = select(Window).order_by(col(Window.created_at), col(Window.id))
    return list(session.scalars(query))
