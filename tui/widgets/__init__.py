"""Widgets that several screens share; none of them knows a service or the disk."""
