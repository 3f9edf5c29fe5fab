"""Programs that run in the environments of other libraries (benchmarks/environments.py), so they import no Roomtone."""
