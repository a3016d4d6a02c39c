"""Another Rushes, over its HTTP API."""
