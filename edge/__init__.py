"""Roomtone's on-device runtime: hear, see, match, rank and learn inside a fixed memory budget."""

__version__ = "0.1.0"
