"""The errors, drawn before they are raised.

    DedupError                exit 2
    +-- InputError            a file that cannot be read, or is not what it claims to be
    |   +-- BinaryError       one that looks like a binary file
    |   +-- DamagedError      one that is cut short or damaged; what stands before that was read
    +-- OutputError           a target that cannot be written; it is untouched
    +-- ManifestError         a manifest that is broken, or does not belong to the clean text
    +-- IndexFileError        an index that is missing, in use, damaged, or was made in another way
    +-- AuditError            a result that is not what it claims to be; nothing of it was written
    +-- UsageError            options that contradict one another

Every message names the file, the place in it, and the next thing to try. The core raises; `cli` catches, once.
"""


class DedupError(Exception):
    """The base of all errors of this package."""


class InputError(DedupError):
    """An input could not be read or understood."""


class BinaryError(InputError):
    """An input looks like a binary file."""


class DamagedError(InputError):
    """An input is damaged from some place on, or cut short there."""


class OutputError(DedupError):
    """An output could not be written; the target is as it was."""


class ManifestError(DedupError):
    """A manifest is broken, or does not belong to the text it was given with."""


class IndexFileError(DedupError):
    """An index could not be opened, read or written; its finished runs are as they were."""


class AuditError(DedupError):
    """A result did not pass its audit."""


class UsageError(DedupError):
    """Options that contradict one another."""


class PipeClosed(Exception):
    """The reader of standard output went away. Not an OSError, which Typer would make an exit code 1 of."""
