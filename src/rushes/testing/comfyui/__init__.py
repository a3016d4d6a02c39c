"""A ComfyUI that needs no model: speaks its HTTP and websocket, and really executes the core nodes that Pillow and FFmpeg can do."""

from rushes.testing.comfyui.faults import Fault, Faults
from rushes.testing.comfyui.server import DemoServer

__all__ = ["DemoServer", "Fault", "Faults"]
