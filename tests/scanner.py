"""In the scanner's own environment: every look in a process that is forked from one which has imported the
scanner, for that takes longer than most looks.

Asked in JSON: a list of the scanner's arguments with the file for its words. Answered are the exit codes, in
order.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Sequence

gc.disable()
from checkov.main import Checkov  # type: ignore[import-not-found]  # noqa: E402 - what is to stay is no garbage

gc.freeze()
gc.enable()


def look(arguments: Sequence[str], words: str) -> int:
    """One look; its exit code."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 70
    try:
        os.dup2(os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
        code = Checkov(argv=list(arguments)).run() or 0
        sys.stdout.flush()
    except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on as its parent
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    jobs = json.load(sys.stdin)
    sys.stdout.write(json.dumps([look(arguments, words) for arguments, words in jobs]))
