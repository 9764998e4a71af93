"""The directory's two tables: whose key, and the closed fields."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, DateTime, ForeignKey, Integer, LargeBinary, MetaData, String, Table

TABLES: Final = MetaData()
PATIENT: Final = Table(
    "patient",
    TABLES,
    Column("pseudonym", String(64), primary_key=True),
    Column("wrapped", LargeBinary, nullable=True),  # None: erased
    Column("version", Integer, nullable=False),  # of the master key
    Column("revision", Integer, nullable=False),  # one more with every change
    Column("erased_at", DateTime(timezone=True), nullable=True),
)
FIELD: Final = Table(
    "field",
    TABLES,
    Column("pseudonym", String(64), ForeignKey("patient.pseudonym"), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("closed", LargeBinary, nullable=False),
)
