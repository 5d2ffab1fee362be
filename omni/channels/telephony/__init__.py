"""What the telephone exchanges have in common: numbers, settings, and that a call cannot be answered by a text."""
