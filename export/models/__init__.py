"""The PyTorch models that Roomtone ships."""
