"""Applications that write to a tenant's database and remember what was acknowledged to them.

Each writes numbered pairs, one row in each of two tables in one transaction, and notes a number only after
COMMIT returned. What was noted and is not there later is a lost write.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import psycopg

from controlplane.ports import Login
from tests.fakes.rds import connect, wait_until

TABLES = (
    "CREATE TABLE public.ledger (id bigserial PRIMARY KEY, writer int NOT NULL, number int NOT NULL)",
    "CREATE TABLE public.mirror (id bigserial PRIMARY KEY, writer int NOT NULL, number int NOT NULL)",
)
Pair = tuple[int, int]


@dataclass(frozen=True)
class Rows:
    """What one database holds."""

    ledger: list[Pair]
    mirror: list[Pair]

    def lost(self, acknowledged: set[Pair]) -> set[Pair]:
        return acknowledged - set(self.ledger)

    def doubled(self) -> int:
        return len(self.ledger) - len(set(self.ledger))

    def torn(self) -> set[Pair]:
        return set(self.ledger) ^ set(self.mirror)


def rows(connection: psycopg.Connection[Any]) -> Rows:
    """Both tables, in one statement and so at one moment."""
    query = (
        "SELECT 0, writer, number FROM public.ledger UNION ALL SELECT 1, writer, number FROM public.mirror"
    )
    found = connection.execute(query).fetchall()
    sides: list[list[Pair]] = [[], []]
    for side, writer, number in found:
        sides[side].append((writer, number))
    return Rows(*sides)


class Writers:
    """`route` says where to write now; it is asked before every connection."""

    def __init__(self, route: Callable[[], Login], count: int = 4, options: str = "") -> None:
        self._route = route
        self._options = options
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._acknowledged: set[Pair] = set()
        self._times: list[float] = []
        self._refused = 0
        self._collided = 0
        self._threads = [threading.Thread(target=self._work, args=(n,), daemon=True) for n in range(count)]

    def __enter__(self) -> Writers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> set[Pair]:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)
        return self.acknowledged

    @property
    def acknowledged(self) -> set[Pair]:
        with self._lock:
            return set(self._acknowledged)

    @property
    def refused(self) -> int:
        with self._lock:
            return self._refused

    @property
    def collided(self) -> int:
        """Numbers that a sequence gave twice, as the primary key saw it."""
        with self._lock:
            return self._collided

    def longest_pause(self) -> float:
        """Seconds between two acknowledgements, of whomever: for so long nobody could write."""
        with self._lock:
            times = sorted(self._times)
        return max((after - before for before, after in itertools.pairwise(times)), default=0.0)

    def wait_for(self, more: int = 200) -> None:
        """Until so many more writes were acknowledged."""
        goal = len(self.acknowledged) + more
        wait_until(lambda: len(self.acknowledged) >= goal, f"{more} writes")

    def wait_for_refusals(self, more: int = 20) -> None:
        goal = self.refused + more
        wait_until(lambda: self.refused >= goal, f"{more} refusals")

    def _work(self, writer: int) -> None:
        number = 0
        while not self._stop.is_set():
            try:
                with connect(self._route(), autocommit=False, options=self._options) as connection:
                    while not self._stop.is_set():
                        number += 1
                        for table in ("ledger", "mirror"):
                            insert = f"INSERT INTO public.{table} (writer, number) VALUES (%s, %s)"
                            connection.execute(insert.encode(), [writer, number])
                        connection.commit()
                        with self._lock:
                            self._acknowledged.add((writer, number))
                            self._times.append(time.monotonic())
            except psycopg.errors.UniqueViolation:
                with self._lock:
                    self._collided += 1
                time.sleep(0.005)
            except psycopg.OperationalError:
                with self._lock:
                    self._refused += 1
                time.sleep(0.005)
