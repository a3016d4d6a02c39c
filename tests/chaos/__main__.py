"""`python -m tests.chaos`: the suite by hand, as long and as hard as wanted."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.campaign import Campaign, run
from tests.chaos.trouble import KILLS, TROUBLES


def main() -> int:
    """0 when nothing was wrong at the end."""
    asked = _parser().parse_args()
    real = bool(asked.comfy_url)
    troubles = KILLS if asked.only_kills else TROUBLES
    if real:  # real servers are left alone
        troubles = tuple((trouble, weight) for trouble, weight in troubles if "comfy" not in trouble.__name__)
    plan = Campaign(
        seed=asked.seed,
        jobs=asked.jobs,
        seconds=asked.minutes * 60,
        people=6,
        troubles=troubles,
        at_once=asked.at_once,
        pause=asked.pause,
        kills=asked.kills,
        comfy_urls=asked.comfy_url,
        shot_allowed=asked.shot_allowed,
        settings={"database_pooler": "true"} if asked.polling else {},
        aloud=not asked.quiet,
    )
    with tempfile.TemporaryDirectory(prefix="rushes-chaos-", ignore_cleanup_errors=True) as folder:
        outcome = run(plan, Path(folder))
    print(outcome)
    for fault in outcome.faults:
        print("WRONG:", fault)
    return 1 if outcome.faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=3.0, help="of trouble, at most")
    parser.add_argument("--kills", type=int, help="stop making trouble after so many")
    parser.add_argument("--only-kills", action="store_true", help="kill -9 and nothing else")
    parser.add_argument("--pause", type=float, default=1.0, help="between two troubles, on average, seconds")
    parser.add_argument("--at-once", type=int, default=2, help="troubles in force together")
    parser.add_argument("--polling", action="store_true", help="as through a transaction pooler: no LISTEN")
    parser.add_argument("--shot-allowed", type=int, default=0, help="jobs that may lose all their attempts")
    parser.add_argument("--comfy-url", action="append", default=[], help="a real server; repeated")
    parser.add_argument("--quiet", action="store_true", help="only how it ended")
    return parser


if __name__ == "__main__":
    sys.exit(main())
