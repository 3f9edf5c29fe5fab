"""New bundles and snapshots: fetched by ``roomtone update``, tried by the daemon, kept or taken back."""
