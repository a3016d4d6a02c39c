"""migrate in a process of its own, to be killed: URL, rows a batch."""

import asyncio
import sys

from tests.integration.legacy.taking import taken

if __name__ == "__main__":
    asyncio.run(taken(sys.argv[1], batch_rows=int(sys.argv[2])))
