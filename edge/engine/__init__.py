"""One interface over the inference runtimes."""
