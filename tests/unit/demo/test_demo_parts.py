"""What the demo is made of: settings that travel to its commands, and finding who works in its folder."""

from __future__ import annotations

import io
import os
import threading
from dataclasses import replace
from pathlib import Path

from controlplane.settings import Settings, environment_of, load
from controlplane.terminal.demo.leftovers import end, parse_lsof, working_in
from controlplane.terminal.demo.play import clear, open_play
from controlplane.terminal.demo.scenes import SCENES
from controlplane.terminal.output import Printer


def test_settings_reach_a_child_as_they_are() -> None:
    changed = replace(
        Settings(), two_person=False, data_dir=Path("/a b"), poll_seconds=0.25, terraform_slots=3
    )
    assert load(environment_of(changed, {})) == changed
    assert load(environment_of(Settings(), {})) == Settings()


def test_a_child_gets_none_of_our_settings_that_it_shall_not_have() -> None:
    found = environment_of(Settings(), {"CONTROLPLANE_SERVER": "https://prod", "PATH": "/bin"})
    assert found == {"PATH": "/bin"}


def test_files_of_processes_are_read_from_lsof() -> None:
    told = "p12\nfcwd\nn/tmp/a\nf3\nnlocalhost:80\np13\nf4\nn/tmp/b/c\n"
    assert list(parse_lsof(told)) == [(12, Path("/tmp/a")), (13, Path("/tmp/b/c"))]


def test_we_are_never_among_those_who_are_ended(tmp_path: Path) -> None:
    with (tmp_path / "open").open("w"):
        assert os.getpid() not in working_in(tmp_path)
        assert end(tmp_path) == []


def test_scenes_have_titles_of_their_own() -> None:
    assert len({scene.title for scene in SCENES}) == len(SCENES) > 5


def test_a_command_of_the_demo_is_found_before_it_has_opened_anything() -> None:
    play = open_play(Settings(), Printer(out=io.StringIO(), err=io.StringIO()))
    typing = threading.Thread(target=play.type, args=("version",))  # it never opens a file of the demo's
    typing.start()
    try:
        seen: list[int] = []
        while typing.is_alive() and not seen:
            seen = working_in(play.folder)
        assert seen
    finally:
        typing.join(60)
        clear(play)
    assert not play.folder.exists()
