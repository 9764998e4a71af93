"""What is promised, in numbers: at each a histogram has a boundary and a dashboard a line (docs/guarantees.md)."""

from __future__ import annotations

from typing import Final

ASSESSED_P99_S: Final = 0.3  # from the receipt of a session to its assessment, at 50 a second [s]
PAGED_P99_S: Final = 1.0  # from the receipt of a session to its page at the receiver, at 50 a second [s]
STATE_WANTED_BYTES: Final = 4096  # of 90 days of a COPD patient [B]
STATE_MOST_BYTES: Final = 16_384  # of any patient, however long followed [B]
