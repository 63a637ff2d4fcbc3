"""What lies between Textual and the real terminal: painting, clipboard, signals, capabilities."""
