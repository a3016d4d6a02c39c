"""S3 and whatever speaks like it. Alone in importing obstore."""

from rushes.adapters.storage.s3.place import S3Keys, S3Place
from rushes.adapters.storage.s3.storage import S3Storage

__all__ = ["S3Keys", "S3Place", "S3Storage"]
