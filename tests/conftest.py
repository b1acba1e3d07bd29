import os
import sys

import pytest
from hypothesis import HealthCheck, settings

# Nothing is asserted on seconds: a loaded machine makes no test fail.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # A whole run takes minutes: a failure says its name at once, not at the end.
    # Workers beside this process pass their reports on: only the one that gathers them speaks.
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        sys.stderr.write(f"\n{report.when} failed: {report.nodeid}\n")
