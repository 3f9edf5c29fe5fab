"""The firmware profiles that come with Roomtone, one TOML file per device."""
