"""The same rules over whole histories at once: how well they find alerts that a clinical team verified."""

from __future__ import annotations

from pipeline.backtest.evaluation import CAVEAT, Evaluation, VerifiedAlert, evaluate

__all__ = ["CAVEAT", "Evaluation", "VerifiedAlert", "evaluate"]
