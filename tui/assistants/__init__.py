"""Assistants of DashScope and local profiles: fields, files, versions, drafts, their desk and its command."""
