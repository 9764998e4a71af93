"""The gateway: where vendors' apps hand in what patients measured, answered only when the broker has it."""

from __future__ import annotations

from agents.gateway.application import build_gateway
from agents.gateway.serving import serve
from agents.gateway.settings import GatewaySettings

__all__ = ["GatewaySettings", "build_gateway", "serve"]
