"""Conversations as files for people and programs: Markdown, HTML, JSON, and bundles of several. No Textual, no I/O."""
