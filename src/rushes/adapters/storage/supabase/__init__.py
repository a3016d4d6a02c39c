"""Supabase Storage, by its REST API and TUS."""

from rushes.adapters.storage.supabase.place import SupabasePlace
from rushes.adapters.storage.supabase.storage import SupabaseStorage

__all__ = ["SupabasePlace", "SupabaseStorage"]
