"""Restoring state: first seek, then resume.

Faust 0.15.3 resumes the source partitions, and only then seeks them to the committed offsets. What was fetched in
between is dispatched and thrown away while the read offset is moved under it, and the hole is marked as acknowledged:
committed over, silently (upstream #596). Here nothing is resumed before the seek is done and the queues are clear.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery

if TYPE_CHECKING:
    from agents.streaming.app import SafeApp


class SeekFirstRecovery(Recovery):
    """Recovery that seeks before it resumes."""

    app: SafeApp

    async def on_recovery_completed(self, generation_id: int = 0) -> None:
        """Let the streams go on after the tables are restored."""
        await self.app.on_rebalance_complete.send()
        self._set_recovery_ended()
        restored = [
            asyncio.ensure_future(
                table.on_recovery_completed(self.actives_for_table[table], self.standbys_for_table[table])
            )
            for table in self.tables.values()
        ]
        if restored:
            await asyncio.wait(restored)
        await self._go_on(generation_id)

    async def _resume_streams(self, generation_id: int = 0) -> None:
        """Let the streams go on where there are no tables."""
        await self.app.on_rebalance_complete.send()
        await self._go_on(generation_id)

    async def _go_on(self, generation_id: int) -> None:
        app: Any = self.app
        consumer = app.consumer
        assignment = consumer.assignment()
        if app.consumer_generation_id != generation_id:
            return
        if assignment:
            await self._wait(consumer.perform_seek(), timeout=app.conf.broker_request_timeout)
        if app.consumer_generation_id != generation_id:
            return
        await app.restored(generation_id)
        if app.consumer_generation_id != generation_id:
            return
        self.completed.set()
        app.flow_control.resume()  # clears the queues
        consumer.resume_partitions({tp for tp in assignment if not self._is_changelog_tp(tp)})
        consumer.resume_flow()
        await app._fetcher.maybe_start()  # noqa: SLF001 - as upstream's own recovery does
        self.tables.on_actives_ready()
        if not app.assignor.assigned_standbys():
            self.tables.on_standbys_ready()
        app.on_rebalance_end()


class SafeTables(TableManager):
    """A table manager whose recovery seeks first."""

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = SeekFirstRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
