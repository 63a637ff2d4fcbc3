"""The three services, each translated into one vocabulary of events; usable without a terminal."""
