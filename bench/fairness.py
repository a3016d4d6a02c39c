"""Turns among people and swaps of models, by the real claim on seeded traces; first-in-first-out is the same statement
with its affinity off.
"""

import argparse
import random
from collections import defaultdict
from collections.abc import Sequence

from bench import figures, places
from bench.simulation import Outcome, Planned, Simulation

PEOPLE, SWAP_SECONDS, BOUND = 6, 20.0, 60.0


def main(arguments: Sequence[str]) -> None:
    """Simulate and print."""
    parser = figures.options(__doc__)
    parser.add_argument("--jobs", type=int, default=300, help="in each trace")
    parser.add_argument("--seeds", type=int, default=3, help="traces of each kind")
    parser.add_argument("--servers", type=int, default=4)
    parser.add_argument("--workflows", type=int, default=3, help="each with models of its own")
    parser.add_argument(
        "--loads", type=float, nargs="*", default=[0.5, 0.8, 1.2],
        help="work that arrives ÷ work that the servers could do if they never swapped",
    )  # fmt: skip
    chosen = parser.parse_args(arguments)
    with places.folder() as folder, places.postgres(folder, fsync="off") as url:
        rows = [_turns(places.simulated(url), seed) for seed in range(chosen.seeds)]
        figures.show("Two people, 500 jobs against 1, one server", rows)
        compared = [
            row
            for load in chosen.loads
            for seed in range(chosen.seeds)
            for row in _compared(url, chosen, load, seed)
        ]
        figures.show(
            f"{chosen.workflows} workflows over {chosen.servers} servers, {SWAP_SECONDS:g} s a swap", compared
        )
    figures.keep(chosen.out, "fairness", [*rows, *compared])


def _turns(url: str, seed: int) -> figures.Row:
    """Somebody's one job, submitted somewhere in the middle of somebody else's 500."""
    random.seed(seed)
    moment = random.uniform(100, 600)
    trace = [Planned(0.0, 0, 0, 10.0) for _ in range(500)] + [Planned(moment, 1, 0, 10.0)]
    simulation = Simulation(url, servers=1, workflows=1, people=2, swap_seconds=0, affinity_seconds=BOUND)
    done = simulation.run(sorted(trace, key=lambda plan: plan.at))
    (only,) = [job for job in done.jobs if job.plan.person == 1]
    assert only.started_at is not None
    between = [job for job in done.jobs if job.started_at and moment < job.started_at < only.started_at]
    waited = only.started_at - moment
    return {"seed": seed, "jobs started before it": len(between), "waited s": waited, "job s": 10.0}


def _compared(url: str, chosen: argparse.Namespace, load: float, seed: int) -> list[figures.Row]:
    trace = mixed(chosen.jobs, load, seed, servers=chosen.servers, workflows=chosen.workflows)
    outcomes = {}
    for name, bound in (("first in, first out", 0.0), ("affinity", BOUND)):
        outcomes[name] = Simulation(
            places.simulated(url), servers=chosen.servers, workflows=chosen.workflows, people=PEOPLE,
            swap_seconds=SWAP_SECONDS, affinity_seconds=bound,
        ).run(trace)  # fmt: skip
    fifo = outcomes["first in, first out"]
    return [_row(name, load, seed, outcome, fifo) for name, outcome in outcomes.items()]


def mixed(jobs: int, load: float, seed: int, *, servers: int, workflows: int) -> list[Planned]:
    """Poisson arrivals; people and workflows by chance, jobs of 5 to 15 s."""
    chance = random.Random(seed)
    moment, trace = 0.0, []
    for _ in range(jobs):
        moment += chance.expovariate(load * servers / 10.0)
        trace.append(
            Planned(moment, chance.randrange(PEOPLE), chance.randrange(workflows), chance.uniform(5, 15))
        )
    return trace


def _row(name: str, load: float, seed: int, done: Outcome, fifo: Outcome) -> figures.Row:
    waits = [job.started_at - job.plan.at for job in done.jobs if job.started_at is not None]
    by_person: dict[int, list[float]] = defaultdict(list)
    for job, wait in zip(done.jobs, waits, strict=True):
        by_person[job.plan.person].append(wait)
    overtaken = [
        job.claimed_at - job.overtaken_at
        for job in done.jobs
        if job.claimed_at and job.overtaken_at is not None
    ]
    first = [
        job.claimed_at - job.first_at for job in done.jobs if job.claimed_at and job.first_at is not None
    ]
    later = [
        own.started_at - theirs.started_at
        for own, theirs in zip(done.jobs, fifo.jobs, strict=True)
        if own.started_at is not None and theirs.started_at is not None
    ]
    return {
        "load": load,
        "seed": seed,
        "order": name,
        "swaps": done.swaps,
        "fewer": fifo.swaps / max(1, done.swaps),
        "wait p50 s": figures.p50(waits),
        "p95 s": figures.p95(waits),
        "longest s": max(waits),
        "overtaken s": max(overtaken, default=0.0),
        "first in line s": max(first, default=0.0),
        "later than fifo s": max(later),
        "fairness": fairness([figures.p50(own) for own in by_person.values()]),
        "all done s": max(job.ended_at or 0 for job in done.jobs),
    }


def fairness(shares: Sequence[float]) -> float:
    """Jain's index of people's median waits (and a job's length, so that short waits compare): 1 is equal."""
    values = [share + 10 for share in shares]
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))
