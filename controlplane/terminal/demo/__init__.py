"""`controlplane demo`: a tenant's story on a sandbox of its own, told with the real commands."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from controlplane.domain.errors import ControlPlaneError
from controlplane.terminal.demo.play import Play, clear, open_play
from controlplane.terminal.demo.scenes import SCENES, epilogue
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.options import Here

_ENDINGS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def run(here: Here, *, keep: bool = False, short: bool = False) -> int:
    """Play every scene; behind it nothing is left, however it ended, unless it shall be kept."""
    with _ended_as_by_ctrl_c():
        play = open_play(here.settings, here.out)
        try:
            for number, scene in enumerate((s for s in SCENES if s.short or not short), 1):
                play.title(f"{number}. {scene.title}")
                scene.act(play)
            epilogue(play)
        except ControlPlaneError as error:
            here.out.error(error.message, error.hint)
            return ExitCode.FAILED
        finally:
            _leave(play, keep=keep)
    return ExitCode.DONE


def _leave(play: Play, *, keep: bool) -> None:
    if keep:
        return play.say(
            _KEPT.format(folder=play.folder, data=play.settings.data_dir, url=play.settings.database_url)
        )
    with _undisturbed():
        play.say("cleaning up …")
        clear(play)
    return None


_KEPT = """
It is kept in {folder}. Go on with it, and end it with the last line:
  export CONTROLPLANE_DATA_DIR={data} CONTROLPLANE_DATABASE_URL={url} CONTROLPLANE_TWO_PERSON=0
  controlplane tenant list
  controlplane sandbox reset --yes && rm -r {folder}"""


@contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    """Whoever asks the demo to end lets it clean up first; who ignores hang-ups goes on doing so."""
    meant = [number for number in _ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
    with _handled(dict.fromkeys(meant, _interrupt)):
        yield


@contextmanager
def _undisturbed() -> Iterator[None]:
    with _handled(dict.fromkeys((*_ENDINGS, signal.SIGINT), signal.SIG_IGN)):
        yield


@contextmanager
def _handled(handlers: dict[Any, Any]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: Any) -> None:
    raise KeyboardInterrupt
