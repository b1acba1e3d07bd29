"""`python -m bench [NAME …]`: measures, prints a table, and keeps the figures in bench/results/."""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.rows import Row

# In the order of how long they take.
BENCHES = ("starting", "store_listing", "cost", "drift", "rendering", "http", "whole_change", "full_drift")
RESULTS = Path(__file__).with_name("results")


def main(wanted: list[str]) -> int:
    unknown = set(wanted) - set(BENCHES)
    if unknown:
        print(f"there is no bench {', '.join(sorted(unknown))}: {', '.join(BENCHES)}", file=sys.stderr)
        return 64
    print(f"{'what':74} {'measured':>14} {'beside':>9} {'ratio':>6} {'goal':>11}  met")
    found = [row | {"bench": name} for name in wanted or BENCHES for row in _shown(name)]
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{time.strftime('%Y-%m-%dT%H%M%S')}.json"
    file.write_text(json.dumps({"machine": _machine(), "rows": found}, indent=1) + "\n")
    print(f"kept in {file}")
    return 0


def _shown(name: str) -> Iterator[dict[str, Any]]:
    print(f"--- {name}")
    for row in importlib.import_module(f"bench.{name}").rows():
        print(_line(row), flush=True)
        yield vars(row) | {"ratio": row.ratio, "is_met": row.is_met}


def _line(row: Row) -> str:
    measured = f"{row.measured:.4g} {row.unit}"
    beside = "" if row.beside is None else f"{row.beside:.4g}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    goal = "" if row.goal is None else f"{row.goal:g} {row.unit}"
    if row.goal_ratio is not None:
        goal = f"ratio {row.goal_ratio:g}"
    met = {True: "yes", False: "NO", None: ""}[row.is_met]
    return f"{row.what:74} {measured:>14} {beside:>9} {ratio:>6} {goal:>11}  {met}"


def _machine() -> dict[str, Any]:
    """What the figures depend on; the load says whether anybody else was working."""
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
