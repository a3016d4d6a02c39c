"""Looking into media files: what they are, how large, what they look like; and what they must not carry."""

from rushes.adapters.media.media import MediaWorkers

__all__ = ["MediaWorkers"]
