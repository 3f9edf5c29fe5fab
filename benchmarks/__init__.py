"""Measurements, one question a script; ``python -m benchmarks`` runs them."""
