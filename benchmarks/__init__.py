"""Measured figures, beside peers in the same run. Results with machine and commit: results.md."""
