"""The visit line by line: for screen readers, Braille lines and serial consoles."""
