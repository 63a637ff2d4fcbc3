"""The systems around RDS Copilot that are set up once: what of it a terminal program can do and check."""
