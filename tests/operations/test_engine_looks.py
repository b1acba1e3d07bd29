"""How often the engine looks, on SQLite: when it was told, and seldom for what we have none of. Held to its
private names: an upgrade that renames them brings its looks back, and is noticed here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine as SqlEngine

from controlplane.durable import Engine
from controlplane.steps.world import utc_now
from controlplane.worker.loop import Worker
from tests.operations.house import POLL_SECONDS, House, build
from tests.operations.ordinary import create, done

NEVER = 3600.0
SECONDS = 60.0


@contextmanager
def launched(house: House, looks_every: float) -> Iterator[Engine]:
    engine = Engine(house.url, "embedded", looks_every)
    engine.launch()
    try:
        yield engine
    finally:
        engine.stop()


def test_what_was_enqueued_is_begun_though_it_would_never_look_by_itself(tmp_path: Path) -> None:
    house = build(tmp_path / "house")
    operation = create(house)
    with launched(house, NEVER) as engine:
        worker = Worker(house.db, engine, utc_now, capacity=8, poll_seconds=POLL_SECONDS)
        thread = threading.Thread(target=worker.run, kwargs={"until_idle": True}, daemon=True)
        thread.start()
        thread.join(SECONDS)
        worker.stop()
        assert not thread.is_alive()
    done(house, operation)


def test_it_does_not_look_every_second_for_what_we_have_none_of(tmp_path: Path) -> None:
    house = build(tmp_path / "house")
    said: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    with launched(house, NEVER):
        time.sleep(1.0)  # each looks once when it begins
        event.listen(SqlEngine, "before_cursor_execute", hear)
        time.sleep(3.0)
        event.remove(SqlEngine, "before_cursor_execute", hear)
    others = [one for one in said if "main.queues" not in one]
    assert others == []
    assert said  # whether a queue was added; so it was heard at all
