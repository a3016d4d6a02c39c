"""`python -m rushes.testing.comfyui`: the demo server as a process of its own."""

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from rushes.testing.comfyui.faults import Faults
from rushes.testing.comfyui.generation import VERSIONS
from rushes.testing.comfyui.instance import Instance, Setup
from rushes.testing.comfyui.server import listen
from rushes.testing.comfyui.serving import Serving


def main() -> int:
    """Serve until SIGINT or SIGTERM."""
    options = _parser().parse_args()
    setup = Setup(
        base_directory=options.base_directory,
        version=options.version,
        extra_nodes=options.extra_nodes,
        max_upload_size=options.max_upload_size * 1024 * 1024,
        faults_route=options.faults,
        exits_process=True,
    )
    try:
        return asyncio.run(_serve(setup, options.listen, options.port))
    except OSError as error:
        print(
            f"can't listen on {options.listen}:{options.port}: {error}; choose another --port",
            file=sys.stderr,
        )
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rushes.testing.comfyui", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8188, help="0 takes a free one")
    parser.add_argument("--base-directory", type=Path, required=True, help="holds input/, output/ and temp/")
    parser.add_argument("--version", choices=VERSIONS, default=VERSIONS[0], help="which ComfyUI to be")
    parser.add_argument("--extra-nodes", action="store_true", help="offer the RushesDemo nodes too")
    parser.add_argument("--faults", action="store_true", help="mount /_demo/faults")
    parser.add_argument("--max-upload-size", type=int, default=100, help="in MB")
    return parser


async def _serve(setup: Setup, host: str, port: int) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    listener = listen(host, port)
    print(f"To see the GUI go to: http://{host}:{listener.getsockname()[1]}", flush=True)
    instance = Instance(setup, Faults())
    try:
        return 0 if await Serving(instance, listener).run(stop) else 1
    finally:
        instance.stop(patience=0.5)


if __name__ == "__main__":
    sys.exit(main())
