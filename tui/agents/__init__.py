"""Custom agents of RDS Copilot and the Data Agent: what they are made of, drafts, files, and their desk."""
