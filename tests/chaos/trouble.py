"""What goes wrong: chosen by a seed, begun, and put right again."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.processes import Part
from tests.chaos.town import Comfy, Town

Undo = Callable[[], object]


@dataclass(frozen=True)
class Begun:
    """A trouble that is in force on something, and how it ends."""

    target: str
    what: str
    seconds: float
    undo: Undo


Trouble = Callable[[Town, random.Random, frozenset[str]], Begun | None]


def _free(parts: Sequence[Part], taken: frozenset[str], chance: random.Random) -> Part | None:
    found = [part for part in parts if part.name not in taken and part.alive]
    return chance.choice(found) if found else None


def _free_demo(town: Town, taken: frozenset[str], chance: random.Random) -> Comfy | None:
    found = [comfy for comfy in town.comfys if comfy.part and comfy.name not in taken and comfy.part.alive]
    return chance.choice(found) if found else None


def _killed(part: Part | None, seconds: float) -> Begun | None:
    if part is None:
        return None
    part.kill()
    return Begun(part.name, f"kill -9 {part.name}", seconds, part.start)


def kill_dispatcher(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    return _killed(_free(town.dispatchers, taken, chance), chance.uniform(0, 2))


def kill_api(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    if not town.api_answers():  # or nobody would ever get through on a slow machine
        return None
    return _killed(_free([town.api], taken, chance), chance.uniform(0, 1))


def kill_comfy(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    comfy = _free_demo(town, taken, chance)
    return _killed(comfy.part, chance.uniform(0, 3)) if comfy else None


def drain_dispatcher(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    part = _free(town.dispatchers, taken, chance)
    if part is None:
        return None
    part.terminate()

    def again() -> None:
        if not part.ended(15):
            town.timeline.note(f"{part.name} did not drain within 15 s: killed")
            part.kill()
        part.start()

    return Begun(part.name, f"SIGTERM to {part.name}", chance.uniform(1, 4), again)


def pause_dispatcher(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    part = _free(town.dispatchers, taken, chance)
    if part is None:
        return None
    part.pause()
    seconds = town.lease_seconds + chance.uniform(0.5, 3)
    return Begun(part.name, f"pause {part.name} beyond its lease", seconds, part.go_on)


def pause_comfy(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    comfy = _free_demo(town, taken, chance)
    if comfy is None or comfy.part is None:
        return None
    comfy.part.pause()
    return Begun(comfy.name, f"freeze {comfy.name}", chance.uniform(0.5, 3), comfy.part.go_on)


FAULTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("delay", {"seconds": 0.3}),
    ("delay", {"seconds": 2.0, "route": "/prompt", "times": 2}),
    ("drop", {"times": 6}),
    ("drop", {"route": "/history/*", "times": 4}),
    ("status", {"status": 500, "times": 6}),
    ("status", {"status": 500, "route": "/prompt", "method": "POST", "times": 2}),
    ("status", {"status": 502, "times": 4}),
    ("html", {"times": 3}),
    ("lose_answer", {"route": "/prompt", "method": "POST", "times": 2}),
    ("lose_answer", {"route": "/upload/image", "times": 2}),
    ("lose_answer", {"times": 4}),
    ("slow_body", {"route": "/view", "bytes_per_second": 400, "times": 2}),
    ("truncate", {"route": "/view", "bytes": 30, "times": 2}),
    ("lie_length", {"route": "/view", "bytes": 30, "times": 2}),
    ("status", {"status": 404, "route": "/view", "times": 1}),
    ("late_history", {"seconds": 0.5, "times": 3}),
    ("close_websocket", {"times": 1}),
    ("freeze_websocket", {}),
    ("freeze_worker", {}),
    ("exit_at_node", {"node": "SaveImage", "times": 1}),
    ("out_of_memory", {"node": "EmptyImage", "times": 1}),
)


def comfy_fault(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    comfy = _free_demo(town, taken, chance)
    kind, options = chance.choice(FAULTS)
    seconds = chance.uniform(0.5, 2.5)
    if comfy is None or comfy.part is None or not comfy.fault(kind, **options):
        return None
    part = comfy.part

    def mend() -> None:
        comfy.mend()
        part.start()  # it may have died of it

    told = " ".join(f"{name}={value}" for name, value in options.items())
    return Begun(comfy.name, f"{comfy.name}: {kind} {told}", seconds, mend)


def storage_away(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    """A file where the folder was: nothing can be stored or read."""
    if "storage" in taken:
        return None
    aside: Path = town.storage.with_name("storage-aside")
    town.storage.rename(aside)
    town.storage.touch()

    def back() -> None:
        town.storage.unlink()
        aside.rename(town.storage)

    return Begun("storage", "the storage is away", chance.uniform(0.5, 2.5), back)


def fill_disk(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    """Not one more byte fits."""
    if "storage" in taken or not town.disk_can_fill:
        return None
    filler = town.disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
    return Begun("storage", "the disk is full", chance.uniform(0.5, 2.5), filler.unlink)


def freeze_database(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    if "database" in taken:
        return None
    frozen = town.database.freeze()
    return Begun("database", "freeze the database", chance.uniform(1, 5), lambda: town.database.thaw(frozen))


def crash_database(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    if "database" in taken:
        return None
    town.database.crash()
    return Begun("database", "crash the database", chance.uniform(0.5, 5), town.database.revive)


def cut_connections(town: Town, chance: random.Random, taken: frozenset[str]) -> Begun | None:
    if "database" in taken:
        return None
    count = town.database.cut_connections()
    return Begun("database", f"cut {count} connections to the database", 0.0, lambda: None)


TROUBLES: tuple[tuple[Trouble, int], ...] = (
    (kill_dispatcher, 4),
    (kill_api, 2),
    (kill_comfy, 4),
    (drain_dispatcher, 2),
    (pause_dispatcher, 2),
    (pause_comfy, 2),
    (comfy_fault, 10),
    (storage_away, 2),
    (fill_disk, 2),
    (freeze_database, 1),
    (crash_database, 1),
    (cut_connections, 2),
)
KILLS: tuple[tuple[Trouble, int], ...] = ((kill_dispatcher, 3), (kill_api, 1), (kill_comfy, 3))


class Troublemaker:
    """Begins troubles and ends them, at most `at_once` together; call `step` often."""

    def __init__(
        self,
        town: Town,
        chance: random.Random,
        *,
        troubles: Sequence[tuple[Trouble, int]] = TROUBLES,
        at_once: int = 2,
        pause: float = 1.0,
    ) -> None:
        self._town = town
        self._chance = chance
        self._troubles = [trouble for trouble, _ in troubles]
        self._weights = [weight for _, weight in troubles]
        self._at_once = at_once
        self._pause = pause
        self._begun: list[tuple[float, Begun]] = []
        self._next_at = 0.0
        self.count = 0

    def step(self) -> None:
        """End what is over, begin what is due."""
        now = self._town.timeline.now
        for over, begun in [each for each in self._begun if each[0] <= now]:
            self._begun.remove((over, begun))
            self._end(begun)
            self._mark()
        if now >= self._next_at and len(self._begun) < self._at_once:
            self._begin()

    def end_all(self) -> None:
        """Everything runs again, and nothing is wrong any more."""
        for _, begun in sorted(self._begun, key=lambda each: each[0]):
            self._end(begun)
        self._begun.clear()
        self._mark()
        for comfy in self._town.comfys:
            comfy.mend()
        for part in self._town.parts:
            part.start()
        self._town.timeline.note("no more trouble")

    def force(self, trouble: Trouble) -> bool:
        """Begin this one now; whether it could be."""
        taken = frozenset(begun.target for _, begun in self._begun)
        begun = trouble(self._town, self._chance, taken)
        if begun is None:
            return False
        self.count += 1
        timeline = self._town.timeline
        timeline.note(f"{begun.what} ({begun.seconds:.1f} s)")
        self._begun.append((timeline.now + begun.seconds, begun))
        self._mark()
        return True

    def _begin(self) -> None:
        [trouble] = self._chance.choices(self._troubles, self._weights)
        if self.force(trouble):
            self._next_at = self._town.timeline.now + self._chance.uniform(0.2, 2 * self._pause)

    def _mark(self) -> None:
        self._town.away = frozenset(begun.target for _, begun in self._begun)

    def _end(self, begun: Begun) -> None:
        begun.undo()
        self._town.timeline.note(f"over: {begun.what}")
