"""A worker without an API in its process answers Prometheus by itself, where a setting says so."""

from __future__ import annotations

import time
from dataclasses import dataclass

import httpx
import pytest

from controlplane.domain.errors import Invalid, Unavailable
from controlplane.services.control import Control
from controlplane.services.figures import exposition
from controlplane.worker.exposing import exposed, own
from tests.operations.house import House


@dataclass(frozen=True)
class Tally:
    def calls(self) -> dict[tuple[str, str, str], int]:
        return {("rds", "DescribeDBInstances", "ok"): 7}

    def throttles(self) -> dict[str, int]:
        return {"rds": 2}


def test_it_tells_its_calls_to_aws_and_when_it_last_looked(house: House) -> None:
    control = Control(house.db, house.control.catalog, aws_calls=Tally)
    with exposed("127.0.0.1:0", lambda: own(control, lambda: time.monotonic() - 30)) as url:
        answer = httpx.get(url, timeout=30)
        other = httpx.get(url.replace("/metrics", "/"), timeout=30)
    lines = answer.text.splitlines()
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert (
        'controlplane_aws_calls_total{service="rds",operation="DescribeDBInstances",outcome="ok"} 7' in lines
    )
    assert 'controlplane_aws_throttles_total{service="rds"} 2' in lines
    (idle,) = [line for line in lines if line.startswith("controlplane_worker_seconds_since_look ")]
    assert float(idle.split()[1]) >= 30
    assert other.status_code == 404


@pytest.mark.parametrize("value", [999_999, 1_234_567, 123_456_789_012])
def test_a_figure_is_told_to_its_last_digit_however_large_it_is(value: int) -> None:
    """Who reads `1.23457e+06` sees a counter that stands still."""
    calls = {(("service", "rds"),): float(value)}
    told = list(exposition({"controlplane_tenants": {(): value}}, {"controlplane_aws_calls_total": calls}))
    assert f"controlplane_tenants {value}" in told
    assert f'controlplane_aws_calls_total{{service="rds"}} {value}' in told


def test_its_port_is_free_again_afterwards(house: House) -> None:
    with exposed("127.0.0.1:0", lambda: "") as url:
        place = url.removeprefix("http://").removesuffix("/metrics")
        with pytest.raises(Unavailable, match="CONTROLPLANE_WORKER_METRICS"), exposed(place, lambda: ""):
            pass
    with exposed(place, lambda: "again\n"):
        assert httpx.get(url, timeout=30).text == "again\n"


@pytest.mark.parametrize("place", ["9187", "localhost", "localhost:", "localhost:no", "localhost:70000"])
def test_a_place_that_is_none_is_refused(place: str) -> None:
    with pytest.raises(Invalid, match="CONTROLPLANE_WORKER_METRICS"), exposed(place, lambda: ""):
        pass
