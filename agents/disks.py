"""How much room is left where a process keeps its files: a log that cannot be written refuses everybody."""

from __future__ import annotations

import shutil
from functools import partial
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from agents.metrics import Metrics

UNKNOWN = float("nan")  # Prometheus shows it, and no comparison with it holds


def show(files: Mapping[str, Path], metrics: Metrics) -> None:
    """Show from now on, at each scrape, the room where these files or folders are.

    Parameters
    ----------
    files
        By what they hold.
    """
    for of, path in files.items():
        metrics.disk_free.labels(of).set_function(partial(_room, path, "free"))
        metrics.disk_size.labels(of).set_function(partial(_room, path, "total"))


def _room(path: Path, which: Literal["free", "total"]) -> float:
    """Free or whole [bytes]; of the nearest folder that is there yet."""
    for place in (path, *path.absolute().parents):
        try:
            used = shutil.disk_usage(place)
        except FileNotFoundError:
            continue
        except OSError:
            break
        return float(used.free if which == "free" else used.total)
    return UNKNOWN
