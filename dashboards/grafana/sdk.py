"""Grafana's own builders for dashboards of the classic form, which is the one that is provisioned by files.

They warn at import that a newer form exists.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, text, timeseries
    from grafana_foundation_sdk.cog import variants
    from grafana_foundation_sdk.cog.builder import Builder
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
    from grafana_foundation_sdk.models import common as shared
    from grafana_foundation_sdk.models import dashboard as model
    from grafana_foundation_sdk.models import prometheus as prometheus_model
    from grafana_foundation_sdk.models import text as text_model

__all__ = [
    "Builder",
    "JSONEncoder",
    "bargauge",
    "common",
    "dashboard",
    "model",
    "prometheus",
    "prometheus_model",
    "shared",
    "stat",
    "table",
    "text",
    "text_model",
    "timeseries",
    "variants",
]
