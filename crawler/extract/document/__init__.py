"""One document as extraction reads it: decoded, parsed, selected from."""
