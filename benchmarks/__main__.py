"""`make bench`: the fold, one worker beside its peer, and the store beside its own client."""

from __future__ import annotations

import os
import platform
import subprocess
import sys

import uvloop

from benchmarks import fold, storing, worker

commit = subprocess.run(
    ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - git, wherever it is
    capture_output=True,
    text=True,
    check=False,
).stdout.strip()
print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, commit {commit}", flush=True)
fold.main()
sys.stdout.flush()
uvloop.run(worker.main())
sys.stdout.flush()
uvloop.run(storing.main())
