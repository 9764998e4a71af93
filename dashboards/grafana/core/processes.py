"""How each process does: memory, loop, stalls, restarts, disk, certificates, versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dashboards.grafana import limits
from dashboards.grafana.bounds import NoBounds
from dashboards.grafana.operators import THIRD, asked, more
from dashboards.grafana.panels import HIDDEN, Field, bars, lines, rows
from dashboards.grafana.sources import promql, promql_table
from dashboards.grafana.units import BYTES, LASTING, LONG, PERCENT, SECONDS, WHOLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dashboards.grafana.panels import Tile

_COLUMNS: Final = {"role": "Process", "version": "Version", "python": "Python", "faust": "Faust", "instance": "Address"}
_BESIDE: Final = [Field(name, HIDDEN) for name in ("Time", "__name__", "job", "Value")]


def tiles() -> Iterator[Tile]:
    """Return them."""
    yield lines(
        asked(
            "memory",
            "Memory",
            "Resident memory of each process. Triage's grows with its patients.",
            BYTES,
            limits.of_alert("MemoryHigh"),
            promql('process_resident_memory_bytes{job="sonevakt"}', "{{role}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "cpu",
            "Processor",
            "Share of one core.",
            PERCENT,
            NoBounds("a full core is well while its loop is in time, which has one"),
            promql('rate(process_cpu_seconds_total{job="sonevakt"}[$__rate_interval])', "{{role}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "loop_lag",
            "Event loop runs late",
            "By process. One that is late keeps no promise.",
            SECONDS,
            limits.of_alert("LoopLate"),
            promql('max by (process) (sonevakt_event_loop_lag_seconds{process=~"${process:regex}"})', "{{process}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "still",
            "Nothing moves",
            "For how long nothing was done with messages waiting, and for how long what was done was not committed.",
            SECONDS,
            limits.of_alert("CommitsStalled"),
            promql('max by (process) (sonevakt_still_seconds{process=~"${process:regex}"})', "{{process}} still"),
            promql(
                'max by (process) (sonevakt_uncommitted_seconds{process=~"${process:regex}"})',
                "{{process}} uncommitted",
                "B",
            ),
            size=THIRD,
        )
    )
    yield bars(
        asked(
            "ended_itself",
            "Processes that ended themselves",
            "For standing still, or because they were paused for too long to be sure of what they owned.",
            WHOLE,
            limits.any_at_all("ProcessRestarted"),
            promql(more("sonevakt_commit_stalls_total", "process"), "{{process}} stood still"),
            promql(more("sonevakt_fenced_total", "process"), "{{process}} fenced", "B"),
            size=THIRD,
        )
    )
    yield bars(
        asked(
            "offset_jumps",
            "Offsets out of turn",
            "A consumer was handed messages out of turn, or found what it had not read yet gone.",
            WHOLE,
            limits.any_at_all("OffsetsJumped"),
            promql(more("sonevakt_offset_jumps_total", "process"), "{{process}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "disk",
            "Free disk",
            "Share of the space where a process keeps its files.",
            PERCENT,
            limits.below("DiskLow", "DiskFull"),
            promql("min by (of) (sonevakt_disk_free_bytes / sonevakt_disk_size_bytes)", "{{of}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "certificates",
            "Certificates are valid for",
            "Until the end of the certificate that was last shown at the address of a setting.",
            LASTING,
            limits.below("CertificateEnds", "CertificateEndsNow"),
            promql("min by (of) (sonevakt_certificate_expires_timestamp_seconds > 0) - time()", "{{of}}"),
            size=THIRD,
        )
    )
    yield lines(
        asked(
            "age",
            "Since a process started",
            "A fall is a restart.",
            LONG,
            NoBounds("a restart is told by an alert, and its age is no fault"),
            promql("time() - sonevakt_started_timestamp_seconds", "{{role}}"),
            size=THIRD,
        )
    )
    yield rows(
        asked(
            "versions",
            "What runs",
            "Version, Python and Faust of each process. The board's address is what links of dashboards lead to.",
            WHOLE,
            NoBounds("versions are names"),
            promql_table("sonevakt_build_info"),
            size=(24, 10),
            fields=[*(Field(name, {"displayName": title}) for name, title in _COLUMNS.items()), *_BESIDE],
        )
    )
