"""The bare filter, served before Typer is imported; everything else goes to `cli`.

`dedup < raw > clean` costs little more than starting Python: no option is parsed, no configuration read, no report
made.
"""

import gc
import sys

_SELDOM = 100_000, 50, 100  # counting references leaves next to no garbage here, so it is seldom looked for


def main() -> None:
    """Run the program and exit: 0 done, 1 only from `check`, 2 anything else, 130 on Ctrl-C."""
    gc.set_threshold(*_SELDOM)
    from dedup.errors import PipeClosed

    arguments = sys.argv[1:]
    _hold_streams()
    try:
        _quiet_pipe()
        if arguments in ([], ["-"]):
            code = _filter()
        elif arguments == ["--version"]:
            from dedup import __version__

            if sys.stdout is not None:
                sys.stdout.write(f"dedup {__version__}\n")
                sys.stdout.flush()
            code = 0 if sys.stdout is not None else complain("standard output is closed")
        else:
            from dedup.cli import run

            code = run(arguments)
    except KeyboardInterrupt:
        code = 130
    except PipeClosed:
        import signal

        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
        code = 2
    except OSError as error:
        import os

        os._exit(complain(f"standard output: cannot be written: {error.strerror or error}"))  # nor by trying again
    leave(code)


def _hold_streams() -> None:
    """Put nothing in the place of a standard stream that is closed: the next file that is opened would become it."""
    import os

    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _quiet_pipe() -> None:
    """A reader that goes away ends the program as it ends others: by SIGPIPE."""
    import _signal  # type: ignore[import-not-found]  # no stubs: the C core of `signal`, which would import `enum`

    if hasattr(_signal, "SIGPIPE"):
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)


def _filter() -> int:
    from dedup.errors import DedupError

    if sys.stdin is None or sys.stdout is None:
        return complain(
            f"standard {'input' if sys.stdin is None else 'output'} is closed; give a file, see dedup --help"
        )
    if sys.stdin.isatty() and sys.argv[1:] != ["-"]:
        return complain(
            "no input.\n"
            "  dedup < raw.txt > clean.txt      clean one text\n"
            "  dedup clean FILE... -d DIR       clean files\n"
            "  dedup report FILE                show what would go, and why\n"
            "  dedup --help                     all commands"
        )
    from dedup.config import Config
    from dedup.within import clean_document

    try:
        try:
            data = sys.stdin.buffer.read()
        except OSError as error:
            return complain(f"standard input: cannot be read: {error.strerror or error}")
        result = clean_document(data, Config(), "standard input")
    except DedupError as error:
        return complain(str(error))
    except MemoryError:
        return complain("standard input: not enough memory for this text")
    view = memoryview(result.clean)
    import os

    while view:
        view = view[os.write(1, view) :]
    if sys.stderr is not None and sys.stderr.isatty() and result.removed:
        before, after = result.paragraphs
        sys.stderr.write(
            f"dedup: removed {before - after:,} of {before:,} paragraphs, {len(data) - len(result.clean):,} bytes, "
            f"{100 * result.duplication:.1f}%\n"
        )
    return 0


def complain(message: str) -> int:
    """Write one error to standard error, as far as there is one, and return the exit code for it."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(f"dedup: {message}\n".encode("utf-8", "backslashreplace").decode())
            sys.stderr.flush()
        except OSError:
            pass
    return 2


def leave(code: int) -> None:
    """Exit with `code`; output that cannot be flushed at the end is an error too."""
    import os

    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        import signal

        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
        code = 2
    except OSError as error:
        code = complain(f"standard output: cannot be written: {error.strerror or error}")
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
