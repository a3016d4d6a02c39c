"""One run: people submit jobs while things go wrong; then all is put right, every job ends, and the audit follows."""

import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.audit import ENDED, Audit, Submitted
from tests.chaos.kinds import MARKS, inputs
from tests.chaos.people import Person
from tests.chaos.timeline import Timeline
from tests.chaos.town import Town
from tests.chaos.trouble import TROUBLES, Trouble, Troublemaker

STUCK_SECONDS = 90.0  # without any job ending; a slow machine is not a stuck job


@dataclass
class Campaign:
    """What is to happen. `seconds` of trouble, or until `kills` troubles have been made."""

    seed: int
    jobs: int
    seconds: float
    people: int = 4
    cancels: float = 0.08
    troubles: Sequence[tuple[Trouble, int]] = TROUBLES
    at_once: int = 2
    pause: float = 1.0
    kills: int | None = None
    comfy_urls: Sequence[str] = ()
    shot_allowed: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    aloud: bool = False


@dataclass
class Outcome:
    """How it went."""

    faults: list[str]
    timeline: Timeline
    jobs: int
    troubles: int
    ends: dict[str, int]
    attempts: dict[int, int]
    drained_seconds: float

    def __str__(self) -> str:
        spent = ", ".join(f"{count} × {number}" for number, count in sorted(self.attempts.items()))
        return (
            f"seed {self.timeline.seed}: {self.jobs} jobs under {self.troubles} troubles in {self.timeline.now:.0f} s; "
            f"{dict(self.ends)}; jobs by attempts: {spent}; the rest took {self.drained_seconds:.1f} s"
        )


class _Crowd:
    """People who submit at the given pace, and now and then cancel what they submitted."""

    def __init__(self, town: Town, plan: Campaign) -> None:
        self._town = town
        self._plan = plan
        self._chance = random.Random(plan.seed)
        self._lock = threading.Lock()
        self.jobs: list[Submitted] = []
        self.stop = threading.Event()
        self._people = [Person(town) for _ in range(plan.people)]
        self._pool = ThreadPoolExecutor(plan.people, thread_name_prefix="person")
        share = [plan.jobs // plan.people + (n < plan.jobs % plan.people) for n in range(plan.people)]
        marks = iter(self._chance.sample(range(MARKS), plan.jobs))
        seeds = [self._chance.random() for _ in self._people]
        self._work = [
            self._pool.submit(self._submit, person, [next(marks) for _ in range(count)], random.Random(seed))
            for person, count, seed in zip(self._people, share, seeds, strict=True)
        ]

    @property
    def done(self) -> bool:
        return all(work.done() for work in self._work)

    def close(self) -> None:
        """Wait until all is submitted. Raises what went wrong with that."""
        self.stop.set()
        self._pool.shutdown(wait=True)
        for person in self._people:
            person.close()
        for work in self._work:
            work.result()

    def _submit(self, person: Person, marks: list[int], chance: random.Random) -> None:
        kinds = self._town.kinds
        pace = self._plan.seconds * 0.5 / max(1, len(marks))
        for mark in marks:
            kind = chance.choice(kinds)
            job = Submitted(person.submit(kind, mark, inputs(kind, mark, chance)), kind, mark)
            with self._lock:
                self.jobs.append(job)
            if chance.random() < self._plan.cancels:
                self.stop.wait(chance.uniform(0, 1.0))
                job.cancel_asked = True
                person.cancel(job.id)
            self.stop.wait(chance.uniform(0, 2 * pace))


def run(plan: Campaign, folder: Path) -> Outcome:
    """Run it; what was wrong at the end is in the outcome."""
    timeline = Timeline(plan.seed)
    timeline.aloud = plan.aloud
    with Town(folder, timeline, comfy_urls=plan.comfy_urls, settings=plan.settings) as town:
        troublemaker = Troublemaker(
            town,
            random.Random(plan.seed + 1),
            troubles=plan.troubles,
            at_once=plan.at_once,
            pause=plan.pause,
        )
        crowd = _Crowd(town, plan)
        began = timeline.now
        try:
            while timeline.now - began < plan.seconds and not _enough(plan, troublemaker):
                troublemaker.step()
                town.forget_requests()
                time.sleep(0.02)
        finally:
            troublemaker.end_all()
            while not crowd.done:
                town.forget_requests()
                time.sleep(0.05)
            crowd.close()
        timeline.note(f"all {len(crowd.jobs)} jobs submitted")
        drained = _drained(town)
        audit = Audit(town, crowd.jobs, shot_allowed=plan.shot_allowed)
        faults = audit.faults()
        return Outcome(
            faults,
            timeline,
            len(crowd.jobs),
            troublemaker.count,
            dict(audit.ends),
            dict(audit.attempts),
            drained,
        )


def _drained(town: Town) -> float:
    """Wait until every job has ended; how long that took."""
    began = town.timeline.now
    while left := _open(town):
        town.until(lambda left=left: _open(town) < left, f"one of {left} jobs ends", STUCK_SECONDS)  # type: ignore[misc]  # mypy takes the default for a parameter
    return town.timeline.now - began


def _enough(plan: Campaign, troublemaker: Troublemaker) -> bool:
    return plan.kills is not None and troublemaker.count >= plan.kills


def _open(town: Town) -> int:
    return int(town.one("select count(*) from workflow_jobs where not status = any(%s)", list(ENDED)))
