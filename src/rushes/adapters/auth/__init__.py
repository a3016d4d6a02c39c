"""Who asks: accounts of our own (Supabase's and API keys come beside it)."""
