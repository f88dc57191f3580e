"""The fixers of `--fix`, by what they mend; imported by `fix` when one is first used."""
