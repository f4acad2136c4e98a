"""What becomes of text that others wrote before it is drawn: harmless, of a known width, marked up."""
