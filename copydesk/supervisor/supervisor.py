"""The loop that starts, watches, restarts and stops. The decisions are in `restarts`, the processes in `program`."""

from __future__ import annotations

import atexit
import queue
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import chain, groupby, repeat
from pathlib import Path
from types import FrameType
from typing import Literal, NoReturn, Self, TextIO, TypeAlias

import structlog

from copydesk.errors import ServerStartError
from copydesk.supervisor.logtail import LogTail, last_lines
from copydesk.supervisor.process import Entry, State, Status, Supervised
from copydesk.supervisor.program import Program, ProgramRun
from copydesk.supervisor.restarts import RestartPolicy, count_crashes, is_hopeless, pause_before_restart
from copydesk.supervisor.rounds import Rounds

log = structlog.get_logger(__name__)

Order: TypeAlias = Literal["stop", "kill"]

_TICK_S = 0.1
_STOP_TICK_S = 0.02
_LOG_LINES_SHOWN = 15
_FAILED = 1
_NOT_EXECUTABLE = 126


class Supervisor:
    """Runs `processes`, each started after the one before it, stopped in reverse order. One may be running already.

    A program that ends is started again after a pause (`restarts`); one that is stuck is ended for that (`rounds`). Its
    output goes to `log_dir/<name>.log` and, with `terminal`, to that too, each line with the program's name. All
    children die with this process: on Linux also when it is killed, elsewhere only when Python's own exit still runs.

    `run_forever` is for a main thread that has nothing else to do. `start`, `wait_ready` and `stop` are for one that
    has; as a context manager it starts and stops.
    """

    def __init__(
        self,
        processes: Sequence[Program | Supervised],
        *,
        log_dir: Path,
        policy: RestartPolicy | None = None,
        terminal: TextIO | None = None,
    ) -> None:
        runs = [ProgramRun(p, log_dir) if isinstance(p, Program) else p for p in processes]
        width = max((len(run.name) for run in runs), default=0)
        self._entries = [Entry(run) for run in runs]
        self._tails = [LogTail(run.log_file, f"{run.name:<{width}} | ", terminal) for run in runs if terminal]
        self._policy = policy or RestartPolicy()
        self._rounds = Rounds([run for run in runs if isinstance(run, ProgramRun)])
        # SimpleQueue.put may be called from a signal handler; Event.set may not.
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="supervisor", daemon=True)
        self._fault: Exception | None = None
        self._signal_orders: Iterator[Order] = chain(["stop"], repeat("kill"))

    def statuses(self) -> list[Status]:
        """How each process stands now, in their order. From any thread."""
        return [Status(e.process.name, e.state, e.process.pid, e.restarts, e.detail) for e in self._entries]

    def start(self) -> None:
        """Begin to start the processes, in their order, and return at once."""
        atexit.register(self.stop)
        self._thread.start()

    def wait_ready(self, deadline_s: float) -> None:
        """Return when all are ready for the first time.

        Raises ServerStartError, with the last log lines, for the first one that has failed or that is not ready
        within `deadline_s`; nothing is stopped then.
        """
        give_up = time.monotonic() + deadline_s
        while pending := [e for e in self._entries if not e.was_ready]:
            failed = next((e for e in pending if e.state is State.FAILED), None)
            if not self._thread.is_alive():
                self._wait_for_end()
            if failed or time.monotonic() > give_up or not self._thread.is_alive():
                self._raise_for(failed or pending[0])
            time.sleep(_TICK_S / 2)

    def stop(self) -> None:
        """Stop all in reverse order and return when none is left. A Ctrl-C meanwhile kills them at once."""
        self._orders.put("stop")
        self._wait_for_end()

    def kill(self) -> None:
        """SIGKILL all, return when none is left."""
        self._orders.put("kill")
        self._wait_for_end()

    def run_forever(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop; a second signal kills at once. For the main thread.

        Raises ServerStartError, after stopping the others, when a process fails before it was ever ready.
        """
        signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in signals}
        try:
            self.start()
            while self._thread.is_alive():
                self._thread.join(_TICK_S)
                failed = next((e for e in self._entries if e.state is State.FAILED), None)
                if failed:
                    self.stop()
                    self._raise_for(failed)
            self._wait_for_end()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- for the caller's threads ----------------------------------------------------------------------------

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # One step: a second signal may interrupt this very function, and must not find the state of the first.
        self._orders.put(next(self._signal_orders))

    def _wait_for_end(self) -> None:
        if self._thread.ident is None:
            return
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self._orders.put("kill")
            self._thread.join()
            raise
        finally:
            atexit.unregister(self.stop)
        if self._fault is not None:
            raise self._fault

    def _raise_for(self, entry: Entry) -> NoReturn:
        process = entry.process
        shown = last_lines(process.log_file, _LOG_LINES_SHOWN)
        raise ServerStartError(process.name, f"{entry.detail or 'not ready in time'}\n{shown}".rstrip())

    # --- the supervisor's own thread -------------------------------------------------------------------------

    def _serve(self) -> None:
        self._rounds.start()
        try:
            order = None
            while order is None:
                for entry in self._entries:
                    self._advance(entry)
                    if not self._orders.empty():
                        break
                self._copy_logs()
                order = self._next_order(_TICK_S)
            self._stop_all(order)
        except Exception as error:  # noqa: BLE001 - the thread's boundary: raised again in the thread that waits
            self._fault = error
        finally:
            self._rounds.stop()
            for entry in reversed(self._entries):
                entry.process.kill()
                entry.state = State.FAILED if entry.state is State.FAILED else State.STOPPED
            self._copy_logs()

    def _next_order(self, within_s: float) -> Order | None:
        try:
            return self._orders.get(timeout=within_s)
        except queue.Empty:
            return None

    def _advance(self, entry: Entry) -> None:
        """Take one process as far as it can go now."""
        now = time.monotonic()
        match entry.state:
            case State.WAITING:
                self._start(entry)
            case State.BACKING_OFF if now >= entry.due_at:
                entry.restarts += 1
                self._start(entry)
            case State.STARTING | State.RUNNING | State.ENDING:
                status = entry.process.exit_status()
                if status is not None:
                    why = f"{entry.detail}; " if entry.state is State.ENDING else ""
                    self._note_end(entry, status, f"{why}ended with status {status}")
                elif entry.state is State.ENDING:
                    if now >= entry.due_at:
                        self._note_end(entry, -signal.SIGKILL, f"{entry.detail}; killed after its grace")
                elif complaint := self._rounds.complaint(entry.process.name, entry.process.pid):
                    self._end_stuck(entry, complaint)
                elif entry.state is State.STARTING and entry.process.is_ready():
                    entry.state, entry.was_ready = State.RUNNING, True
                    log.info("process_ready", process=entry.process.name, pid=entry.process.pid)
            case _:
                pass

    def _end_stuck(self, entry: Entry, complaint: str) -> None:
        """Ask it to stop; killed when it does not. The others are looked after meanwhile."""
        log.error("process_stuck", process=entry.process.name, pid=entry.process.pid, detail=complaint)
        entry.state, entry.detail = State.ENDING, f"stuck: {complaint}"
        entry.due_at = time.monotonic() + entry.process.stop_grace_s
        entry.process.ask_to_stop()

    def _start(self, entry: Entry) -> None:
        entry.state, entry.started_at = State.STARTING, time.monotonic()
        try:
            # A server that had to be up before the list was complete is taken over as it runs.
            if entry.process.pid is None:
                entry.process.start()
        except ServerStartError as error:
            self._note_end(entry, _NOT_EXECUTABLE, error.detail.split("\n", 1)[0])
        except OSError as error:
            # No room for another process, or on the disk for its log: that passes, and the others run on meanwhile.
            self._note_end(entry, _FAILED, str(error))

    def _note_end(self, entry: Entry, status: int, detail: str) -> None:
        """It ended without being asked to: clear what it left, and decide what becomes of it."""
        process, now = entry.process, time.monotonic()
        process.kill()
        entry.detail = detail
        if is_hopeless(status, entry.was_ready):
            entry.state = State.FAILED
            log.error("process_failed", process=process.name, detail=detail)
            return
        entry.crashes = count_crashes(entry.crashes, now - entry.started_at, self._policy)
        pause_s = pause_before_restart(entry.crashes, self._policy)
        entry.state, entry.due_at = State.BACKING_OFF, now + pause_s
        log.warning("process_ended", process=process.name, detail=detail, restart_in_s=pause_s)

    def _stop_all(self, order: Order) -> None:
        """Ask group by group, from the last to the first; what is left is killed by the caller."""
        for _, batch in groupby(reversed(self._entries), key=lambda entry: entry.process.group or entry.process.name):
            if order == "kill":
                return
            order = self._stop_together([entry for entry in batch if entry.runs])

    def _stop_together(self, entries: list[Entry]) -> Order:
        """Ask them to stop and kill those that do not within their grace. Returns the order then in force."""
        for entry in entries:
            entry.process.ask_to_stop()
        asked = time.monotonic()
        while waiting := [entry for entry in entries if entry.process.exit_status() is None]:
            if all(time.monotonic() - asked > entry.process.stop_grace_s for entry in waiting):
                break
            if self._next_order(_STOP_TICK_S) == "kill":
                return "kill"
            self._copy_logs()
        for entry in entries:
            entry.process.kill()
            entry.state = State.STOPPED
        return "stop"

    def _copy_logs(self) -> None:
        try:
            for tail in self._tails:
                tail.copy_new_lines()
        except OSError:
            # The reader of our terminal has gone (`| head`); the log files have it all.
            self._tails.clear()
