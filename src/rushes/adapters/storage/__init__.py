"""Object storage adapters: one bucket of keys, whatever is behind it."""
