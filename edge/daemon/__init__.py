"""The long-running service: pipeline, HTTP API and the TV page."""
