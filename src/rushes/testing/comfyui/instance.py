"""One life of a ComfyUI process: its queue, history, worker and websockets. A restart is another instance."""

import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from rushes.testing.comfyui.cache import Results
from rushes.testing.comfyui.definitions import Catalogue
from rushes.testing.comfyui.execution import Execution
from rushes.testing.comfyui.failures import Died
from rushes.testing.comfyui.faults import Faults
from rushes.testing.comfyui.folders import Folders
from rushes.testing.comfyui.generation import Generation, generation
from rushes.testing.comfyui.history import History
from rushes.testing.comfyui.hub import Hub
from rushes.testing.comfyui.queue import Queue
from rushes.testing.comfyui.surroundings import Surroundings

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setup:
    """How a demo server is to be; sizes in bytes."""

    base_directory: Path
    version: str = "0.33.0"
    extra_nodes: bool = False
    max_upload_size: int = 104_857_600
    faults_route: bool = False
    exits_process: bool = False
    """Whether the fault `exit_at_node` ends this very process; else only this instance."""


class Instance:
    """Everything that is lost when the process ends; the files stay."""

    def __init__(self, setup: Setup, faults: Faults) -> None:
        self.setup = setup
        self.faults = faults
        self.generation: Generation = generation(setup.version)
        self.folders = Folders(setup.base_directory)
        self.catalogue = Catalogue(self.generation, extra_nodes=setup.extra_nodes)
        self.history = History()
        self.hub = Hub(self.generation, faults, self._remaining)
        self.queue = Queue(self.history, self.hub.send_status)
        self.results = Results(self.generation.cached_prompts)
        self.around = Surroundings(
            self.generation, self.catalogue, self.folders, self.hub, faults, self.results
        )
        self.died = threading.Event()
        self._worker = threading.Thread(target=self._work, name="comfyui-demo-worker", daemon=True)

    def start(self) -> None:
        """Empty temp/ and let the worker take prompts."""
        self.folders.create()
        self._worker.start()

    def stop(self, patience: float = 5.0) -> None:
        """End the worker, in the middle of a prompt if need be."""
        self.around.stopped.set()
        self.queue.close()
        self._worker.join(patience)

    def interrupt(self, prompt_id: str | None = None) -> bool:
        """Stop what runs, or only if it is that prompt; True when something was told to stop."""
        if prompt_id is not None and not self.queue.is_running(prompt_id):
            return False
        self.around.interrupt.set()
        return True

    def cancel(self, prompt_id: str) -> bool:
        """Drop a pending prompt or interrupt the running one."""
        return self.queue.delete(prompt_id) or (
            self.queue.is_running(prompt_id) and self.interrupt(prompt_id)
        )

    def _remaining(self) -> int:
        return self.queue.remaining()

    def _work(self) -> None:
        try:
            while (taken := self.queue.get()) is not None:
                ticket, item = taken
                entry = Execution(self.around, item).run()
                late = self.faults.take("late_history")
                time.sleep(late.seconds if late else 0)
                self.queue.done(ticket, entry)
                if self.hub.client_id is not None:
                    ended = {"node": None, "prompt_id": item.prompt_id}
                    self.hub.send("executing", ended, self.hub.client_id)
        except Died:
            if self.around.stopped.is_set():
                return
            if self.setup.exits_process:
                os._exit(137)
            self.died.set()
        except Exception:
            # As in the real server: HTTP goes on, the prompt stays running for ever.
            _log.exception("the demo server's worker ended")
