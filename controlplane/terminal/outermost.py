"""The outermost catch, behind which nobody meets a traceback."""

from __future__ import annotations

from collections.abc import Callable

from controlplane.domain.errors import ControlPlaneError
from controlplane.terminal import exits
from controlplane.terminal.exits import ExitCode
from controlplane.terminal.output import Printer


def caught(out: Printer, work: Callable[[], int]) -> int:
    """Its exit code, whatever becomes of it."""
    try:
        return work()
    except ControlPlaneError as error:
        out.error(error.message, error.hint)
        return exits.of_error(error)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the outermost place: a person gets a sentence
        out.error(f"{type(error).__name__}: {error}", "this is a fault of the program; please report it")
        return ExitCode.FAILED
