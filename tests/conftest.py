import gc
import os
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

_MEMORY = Path("/dev/shm")


def _offers_room() -> bool:
    if not _MEMORY.is_dir():
        return False
    facts = os.statvfs(_MEMORY)
    runs_programs = not facts.f_flag & getattr(os, "ST_NOEXEC", 0)
    return runs_programs and facts.f_bavail * facts.f_frsize > 8 * 2**30


# Tests make a hundred thousand small files: where there is memory enough, none of them goes to a disk.
if "TMPDIR" not in os.environ and _offers_room():
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

# Nothing is asserted on seconds: a loaded machine makes no test fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


# Of the stories: each is the first of another worker, and so nobody's last.
_LONGEST = ("test_whole_life", "test_the_short_demo", "test_settling")


@pytest.hookimpl(trylast=True)  # after what is not asked for was left out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stories with real Terraform wait most of their time: every second worker begins with some of them."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    stories = sorted((item for item in items if "e2e" in item.path.parts), key=_place)
    rest = [item for item in items if "e2e" not in item.path.parts]
    share, tellers = -(-len(items) // workers), -(-workers // 2)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        told = stories[worker // 2 :: tellers] if worker % 2 == 0 else []
        ordered += told + rest[: share - len(told)]
        del rest[: share - len(told)]
    items[:] = ordered + rest


def _place(story: pytest.Item) -> int:
    return next((n for n, name in enumerate(_LONGEST) if name in story.nodeid), len(_LONGEST))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """While tests are collected nothing becomes garbage: to look for it took a sixth of that time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """What was collected stays to the end: no garbage collection of any test goes through it again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # A whole run takes minutes: a failure says its name at once, not at the end.
    # Workers beside this process pass their reports on: only the one that gathers them speaks.
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\n{report.when} failed: {report.nodeid}\n")
