"""A ComfyUI that needs no model.

It speaks the real one's HTTP and websocket, and really executes the core nodes that Pillow and FFmpeg can do.
"""

from rushes.testing.comfyui.faults import Fault, Faults
from rushes.testing.comfyui.server import DemoServer

__all__ = ["DemoServer", "Fault", "Faults"]
