"""Archives among the inputs: their members as inputs, and the archive written anew from what became of them."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from dedup.cli.folder import working_folder
from dedup.cli.inputs import Tally
from dedup.cli.journal import Journal, same
from dedup.errors import InputError
from dedup.io import archive, compression, files
from dedup.io.documents import Inside, Reading, Source
from dedup.manifest import record
from dedup.model import Failure


@dataclass
class Archive:
    """An archive and what becomes of its members."""

    source: Source
    folder: str  # its working folder
    texts: dict[int, Source] = field(default_factory=dict)  # the members that are inputs, by number
    dropped: set[int] = field(default_factory=set)
    unread: set[int] = field(default_factory=set)  # members that could not be read
    torn: bool = False  # whether members after some place are not known

    def place(self, number: int) -> str:
        """Where what is left of a member is written."""
        return os.path.join(self.folder, f"{number}.out")

    def places(self) -> dict[str, str]:
        """Where what is left of each member that is an input is written, by its path."""
        return {source.path: self.place(number) for number, source in self.texts.items()}

    def write(self, target: str, packed: str, ratio: int, journal: Journal | None) -> None:
        """Write the archive with what is left of its members. Raises InputError, OutputError."""
        source = self.source
        if (self.unread or self.torn) and same(source.path, target):
            raise InputError(f"{source.name}: is damaged, so it was not replaced; write it elsewhere with -d or -o")
        if target != files.STDIN and os.path.dirname(target):
            files.make_folder(os.path.dirname(target))
        comment = archive.comment(source.path, source.format)
        with files.writing(target) as file, compression.compressing(file, packed) as out:
            count = 0
            with archive.Writer(out, source.format, comment) as writer:
                for member, held in self.members(ratio):
                    count += 1
                    if member.number not in self.dropped | self.unread:
                        self.add(writer, member, held)
            if journal:
                left = {"unread": sorted(self.unread), "torn": self.torn, "count": count}
                told = {"archive": source.format, "packed": source.packed, "comment": comment.hex(), **left}
                journal.write(record(source.name, b"", b"", (), path=source.below, **told))
                journal.sync()

    def add(self, writer: archive.Writer, member: archive.Member, held: str | None) -> None:
        """Write what is left of a member, or the contents that it had."""
        new, text = self.place(member.number), self.texts.get(member.number)
        if text and text.inside and os.path.exists(new):
            writer.add(member, new, text.inside.clean)
        elif member.wrong and member.stream and held is None:
            raise InputError(f"{self.source.name}: {files.show(member.name)}: {member.wrong}")
        else:
            writer.add(member, held, member.name)

    def members(self, ratio: int) -> Iterator[tuple[archive.Member, str | None]]:
        """Members, each with the file that holds its contents until the next one. Damage that was told ends them."""
        source, held = self.source, os.path.join(self.folder, "member")
        try:
            yield from archive.extracted(source.path, source.format, source.name, ratio, held)
        except InputError:
            if not self.torn:
                raise


@contextmanager
def unpacked(reading: Reading, found: Sequence[Source], tally: Tally) -> Iterator[tuple[list[Source], list[Archive]]]:
    """Give the sources with the members of archives in place of these, and the archives.

    What must be read from its end, and can be read once only, is kept in a file until then.
    """
    if not any(source.archive or source.format == "parquet" for source in found):
        yield list(found), []
        return
    with working_folder() as folder:
        out: list[Source] = []
        archives = []
        for number, given in enumerate(found):
            source = given
            if given.once and (given.archive or given.format == "parquet"):
                source = replace(given, path=_kept(given, os.path.join(folder, f"{number}.in")), given=given.path)
            if not source.archive:
                out.append(source)
                continue
            work = Archive(source, os.path.join(folder, str(number)))
            os.mkdir(work.folder)
            out += _members(reading, work, tally)
            archives.append(work)
        yield out, archives


def _kept(source: Source, path: str) -> str:
    with open(path, "wb") as copy, compression.plain(source.path) as stream:
        shutil.copyfileobj(stream, copy)
    return path


def _members(reading: Reading, work: Archive, tally: Tally) -> Iterator[Source]:
    """The members of an archive that hold texts, each in a file of its own. What is wrong with one is told."""
    source, ratio = work.source, reading.max_ratio
    room = max(archive.FREE, ratio * os.stat(source.path).st_size)  # bytes that compressed members may take
    names: set[str] = set()
    try:
        linked = archive.linked(source.path, source.format, ratio)
        held_in = os.path.join(work.folder, "member")
        for member, held in archive.extracted(source.path, source.format, source.name, ratio, held_in):
            if member.wrong:
                tally.fail(Failure(source.file, None, f"{source.name}: {files.show(member.name)}: {member.wrong}"))
                if member.stream and held is None:
                    work.unread.add(member.number)
            if held is None or member.wrong:
                continue
            path = os.path.join(work.folder, f"{member.number}-{os.path.basename(member.name)[-100:]}")
            os.rename(held, path)
            found = _text(replace(reading, input_format="auto"), work, member, path)
            why = "is an archive in an archive" if found.archive else ""
            why = why or ("is what a link leads to" if os.path.normpath(member.name) in linked else "")
            why = why or ("would have the name of another one" if found.inside and found.inside.clean in names else "")
            if found.packed and not why:
                room -= compression.size(path, room)
                if room < 0:
                    raise InputError(
                        f"{source.name}: grows to more than {ratio} times its size, so it was not read; --max-ratio "
                        "takes more"
                    )
            if why:
                tally.note(f"{found.name}: {why}; it stays as it is")
                os.unlink(path)
                continue
            names.add(found.inside.clean if found.inside else member.name)
            work.texts[member.number] = found
            yield found
    except InputError as error:
        tally.fail(Failure(source.file, None, str(error)))
        work.torn = True


def _text(reading: Reading, work: Archive, member: archive.Member, path: str) -> Source:
    """A member of an archive as a source."""
    source = work.source
    found = reading.source(path, f"{source.file}/{member.name}", f"{source.below}/{member.name}", True)
    clean = member.name + found.clean.removeprefix(found.below)
    inside = Inside(source.name, source.below, source.format, source.packed, clean, member.about)
    return replace(found, inside=inside)
