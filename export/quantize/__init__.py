"""From a float model to int8 files with the loss measured."""
