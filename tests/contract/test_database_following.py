"""A side that follows as RDS's green one does: what our fence and our comparison find there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from controlplane.adapters.postgres import Connector, Postgres
from controlplane.sandbox.aws.standby import Standbys, Switch
from tests.fakes.rds import (
    SETTINGS,
    Server,
    Servers,
    cluster_folder,
    replicating_clusters,
    servers,
    wait_until,
)

__all__ = ["cluster_folder", "replicating_clusters", "servers"]  # pytest finds fixtures by name
pytestmark = pytest.mark.postgres
TABLE = "CREATE TABLE public.orders (id bigserial PRIMARY KEY, what text)"
TOKEN = "controlplane-moving"


@pytest.fixture
def blue(servers: Servers) -> Server:
    made = servers.make().set_up()
    made.run(TABLE, "INSERT INTO public.orders (what) SELECT 'one' FROM generate_series(1, 500)")
    return made


@pytest.fixture
def green(servers: Servers, blue: Server) -> Iterator[Server]:
    name = f"{blue.name}-green"
    address = Standbys(servers.clusters).follow(name, SETTINGS, blue.name, 0)
    made = replace(blue, name=name, address=address)
    servers.made.append(made)
    yield made


def failed(servers: Servers, blue: Server, green: Server) -> list[str]:
    found = servers.migration().verify(blue.control, green.control, TOKEN)
    return [check.id for check in found.checks if not check.passed]


def close(servers: Servers, blue: Server, green: Server) -> None:
    Postgres(Connector()).fence(blue.control)
    servers.migration().write_marker(blue.control, TOKEN)
    wait_until(lambda: servers.migration().has_marker(green.control, TOKEN), "the marker")


def test_behind_the_fence_all_but_the_canary_can_be_compared(
    servers: Servers, blue: Server, green: Server
) -> None:
    """The fence travels, so nobody writes to either side; a standby takes no canary before its promotion."""
    blue.run("INSERT INTO public.orders (what) VALUES ('two')")
    close(servers, blue, green)
    assert servers.migration().fenced_logins(green.control) == servers.migration().fenced_logins(blue.control)
    assert failed(servers, blue, green) == ["V6"]


def test_a_marker_that_has_not_arrived_is_seen(servers: Servers, blue: Server, green: Server) -> None:
    with green.rdsadmin() as admin:
        admin.execute("SELECT pg_wal_replay_pause()")
    blue.run("INSERT INTO public.orders (what) VALUES ('two')")
    Postgres(Connector()).fence(blue.control)
    servers.migration().write_marker(blue.control, TOKEN)
    assert {"V1", "V2", "V4"} <= set(failed(servers, blue, green))


def test_after_the_switch_the_canary_is_written_and_the_fence_still_stands(
    servers: Servers, blue: Server, green: Server
) -> None:
    close(servers, blue, green)
    switch = Switch(blue.name, green.name, blue.address, green.address, 30)
    places = Standbys(servers.clusters).switch(switch, (SETTINGS, SETTINGS))
    assert places is not None
    old, new = (replace(one, address=at) for one, at in zip((blue, green), places, strict=True))
    assert new.address == blue.address
    assert failed(servers, old, new) == []
    assert servers.migration().fenced_logins(new.control)
    Postgres(Connector()).unfence(new.control)
    new.run("INSERT INTO public.orders (what) VALUES ('three')")
