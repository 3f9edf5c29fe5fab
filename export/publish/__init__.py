"""What devices update from: a signed repository of static files (The Update Framework)."""
