"""Personal data in words and file names, tied to data subjects."""
