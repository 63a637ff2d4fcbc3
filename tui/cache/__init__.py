"""The TOML session cache: an append-only log a conversation, and an index derived from them."""
