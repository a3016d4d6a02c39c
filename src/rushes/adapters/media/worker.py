"""The worker process: a JSON line in, a JSON line out. A file that kills it kills nothing else."""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import IO

from rushes.adapters.media import inspect
from rushes.adapters.media.problem import Unreadable

_TASKS = {"probe": inspect.probe, "preview": inspect.preview}


def main(memory_bytes: int, task_seconds: float) -> None:
    """Answer until standard input ends."""
    _limit(memory_bytes)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not be taken for an answer
    _write(answers, {"ready": True})
    for line in sys.stdin:
        signal.setitimer(signal.ITIMER_REAL, task_seconds)  # dies by itself should its parent be gone
        _write(answers, answer(json.loads(line)))
        signal.setitimer(signal.ITIMER_REAL, 0)


def answer(request: dict[str, str]) -> inspect.Answer:
    """The fields asked for, or `problem`: why the file can't be read."""
    try:
        return _TASKS[request["task"]](Path(request["path"]), request["content_type"])
    except Unreadable as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": "Looking into the file needs more memory than it may use."}
    except Exception as error:  # a library's surprise about one file is no reason to stop
        return {"problem": f"The file couldn't be read: {type(error).__name__}: {error}"[:500]}


def _limit(memory_bytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


def _write(answers: IO[str], message: inspect.Answer) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
