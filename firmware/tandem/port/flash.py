"""The state folder as the loop sees it: small files and logs, each written on a thread of its own and synced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from tandem.action import Action, Persist, Store
from tandem.archive import durable, index, reading, recorder
from tandem.archive.rebuild import rebuild
from tandem.past import Past
from tandem.port.disk import StateFolder
from tandem.port.logs import LogFolder

Written = Callable[[Persist | Store, str], None]


class Flash:
    """Carries `Persist` and `Store` out beside the loop; `written(action, fault)` is called on the loop afterwards."""

    def __init__(self, loop: asyncio.AbstractEventLoop, state: StateFolder, written: Written) -> None:
        self._loop = loop
        self._state = state
        self._written = written
        self._small = ThreadPoolExecutor(1, "state")
        self._logs = {recorder.LOG: LogFolder(state.path / recorder.LOG, True, index.build)}
        self._logs[durable.LOG] = LogFolder(state.path / durable.LOG, gives_way=False)
        self._threads = {name: ThreadPoolExecutor(1, name) for name in self._logs}

    def past(self, keeps_journal: bool) -> Past:
        """What the folder holds at the start; a torn tail is cut off first. A journal no longer kept goes."""
        texts = self._state.read_all(Past.FILES)
        archive, journal = self._logs[recorder.LOG], self._logs[durable.LOG]
        archive.mend()
        journal.mend()
        if not keeps_journal:
            journal.clear()
        rebuilt = rebuild(list(journal.newest_first())[::-1]) if keeps_journal else None
        return Past(texts, reading.last_place(archive.newest_first()), rebuilt)

    def take(self, action: Action) -> None:
        """Write, sync, answer."""
        if isinstance(action, Persist):
            task = self._loop.run_in_executor(self._small, self._state.write, action.name, action.text)
        elif isinstance(action, Store):
            task = self._loop.run_in_executor(self._threads[action.log], self._logs[action.log].append, action)
        else:
            return
        task.add_done_callback(lambda done, what=action: self._written(what, done.result()))  # type: ignore[misc]

    def close(self, last: Iterable[Action]) -> None:
        """Write these too, and wait until everything is on flash."""
        for action in last:
            self.take(action)
        for thread in (self._small, *self._threads.values()):
            thread.shutdown(wait=True)
