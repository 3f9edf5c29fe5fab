"""From ratings to item factors, neighbours and an evaluation."""
