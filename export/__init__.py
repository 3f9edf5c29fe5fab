"""Roomtone's host side: PyTorch models to int8 bundles, media to catalogue snapshots, ratings to factors."""
