"""A host of reviews as settings name it: spoken to with its token, and told by the doctor what is amiss."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from controlplane import sources
from controlplane.checkup import look_for_forge
from controlplane.domain.errors import Invalid, Unavailable
from controlplane.settings import Settings
from tests.contract.github.double import GITHUB
from tests.contract.gitlab.double import GITLAB
from tests.contract.hosts.server import NAME, US, Host, Kind, served


@pytest.fixture(params=[GITHUB, GITLAB], ids=lambda kind: kind.name)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    kind: Kind = request.param
    with served(kind, tmp_path / "host.git") as made:
        yield made


@pytest.fixture
def settings(host: Host, tmp_path: Path) -> Settings:
    token, people = tmp_path / "token", tmp_path / "people.toml"
    token.write_text(f"{host.kind.token}\n")
    people.write_text('[ann-hub]\nname = "local:ann"\nrole = "operator"\n')
    return Settings(
        data_dir=tmp_path / "data",
        forge=host.kind.name.lower(),
        forge_url=f"{host.url}{host.kind.api}",
        forge_repository=NAME,
        forge_login=US,
        forge_token_file=str(token),
        forge_people_file=str(people),
    )


def test_settings_are_enough_to_begin_a_repository(settings: Settings) -> None:
    assert "0 branches beside the base, 1 people" in look_for_forge(settings)
    forge = sources.forge(settings)
    assert forge.read(forge.base(), "CODEOWNERS")
    assert sources.host_rules(settings).kind == settings.forge


def test_a_wrong_token_is_told_with_what_to_do(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("another")
    with pytest.raises(Unavailable, match="does not let this token") as found:
        look_for_forge(settings)
    assert "expiry" in found.value.hint


def test_a_host_where_nobody_is_known_is_told(settings: Settings) -> None:
    with pytest.raises(Unavailable, match="nobody there is anybody here"):
        look_for_forge(replace(settings, forge_people_file=""))


def test_what_is_missing_is_named(settings: Settings) -> None:
    with pytest.raises(Invalid, match="need a repository and a login"):
        sources.forge(replace(settings, forge_login=""))
    with pytest.raises(Invalid, match="CONTROLPLANE_FORGE_TOKEN_FILE is not set"):
        sources.forge(replace(settings, forge_token_file=""))


def test_a_token_goes_over_https_only(settings: Settings) -> None:
    with pytest.raises(Invalid, match="is not https"):
        sources.forge(replace(settings, forge_url="http://host.example/api/v4"))
