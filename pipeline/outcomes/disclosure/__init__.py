"""No number leaves that tells of fewer than five patients, nor any by which such a number could be worked out.

What is hidden by which rule, and what that does not hold against, stands in docs/disclosure.md.
"""

from __future__ import annotations
