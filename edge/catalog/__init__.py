"""The catalogue that lies on the device: items, texts and vectors, opened read-only."""
