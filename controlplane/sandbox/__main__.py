"""`python -m controlplane.sandbox FOLDER [FAULTS]`"""

from __future__ import annotations

import gc
import sys
from pathlib import Path


def main() -> None:
    # moto's thousand modules stay: to look through them for garbage again and again took a third of a start.
    gc.disable()
    from controlplane.sandbox.process import run  # noqa: PLC0415 - what is meant by "a start"

    gc.freeze()
    gc.enable()
    run(Path(sys.argv[1]), *sys.argv[2:3])


if __name__ == "__main__":
    main()
