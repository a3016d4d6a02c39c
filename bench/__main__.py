"""`python -m bench NAME [options]` runs one; `python -m bench NAME --help` tells its options."""

import importlib
import sys

BENCHES = {
    "makespan": "jobs through Rushes against the same graphs posted straight to the server",
    "fairness": "a simulation with the real claim: turns among people, model swaps, the longest wait",
    "claims": "claims a second and CPU per job against Python's queue libraries, beside finished rows",
    "storage": "upload and download through each store as a ratio to its client library used bare",
    "memory": "how much memory a large file needs on its way through each store",
    "ranges": "ranges of a stored file a second against a bare file server",
    "visibility": "what row level security adds to a page of the feed",
    "legacy": "a takeover: migrate beside a plain INSERT … SELECT of the same rows, and verify",
    "takeover": "a takeover while the old app writes: what its writes take, errors, locks, and every row compared",
    "load": "1,000 simulated servers: how much of a core PostgreSQL needs",
}


def main() -> int:
    arguments = sys.argv[1:]
    if not arguments or arguments[0] not in BENCHES:
        print(__doc__, *(f"  {name:10} {about}" for name, about in BENCHES.items()), sep="\n")
        return 0 if not arguments else 2
    module = importlib.import_module(f"bench.{arguments[0]}")
    module.main(arguments[1:])
    return 0


if __name__ == "__main__":
    sys.exit(main())
