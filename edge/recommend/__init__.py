"""From context and history to a ranked list with reasons."""
