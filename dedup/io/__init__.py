"""Readers and writers: the only code that opens files."""
