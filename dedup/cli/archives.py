"""Archives among the inputs: their members as inputs, and the archive written anew from what became of them."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from dedup.cli.folder import working_folder
from dedup.cli.inputs import Tally
from dedup.errors import InputError
from dedup.io import archive, compression, files
from dedup.io.documents import Inside, Reading, Source
from dedup.model import Failure


@dataclass
class Archive:
    """An archive and what becomes of its members."""

    source: Source
    folder: str  # its working folder
    texts: dict[int, Source] = field(default_factory=dict)  # the members that are inputs, by number
    dropped: set[int] = field(default_factory=set)
    damaged: bool = False

    def place(self, number: int) -> str:
        """Where what is left of a member is written."""
        return os.path.join(self.folder, f"{number}.out")

    def places(self) -> dict[str, str]:
        """Where what is left of each member that is an input is written, by its path."""
        return {source.path: self.place(number) for number, source in self.texts.items()}

    def drop(self, source: Source) -> None:
        """Leave a member out of what is written, if `source` is one of this archive."""
        self.dropped |= {number for number, text in self.texts.items() if text.path == source.path}

    def write(self, target: str, packed: str, ratio: int) -> None:
        """Write the archive with what is left of its members. Raises InputError, OutputError."""
        if (
            self.damaged
            and target != files.STDIN
            and os.path.exists(target)
            and os.path.samefile(self.source.path, target)
        ):
            raise InputError(
                f"{self.source.name}: is damaged, so it was not replaced; write it elsewhere with -d or -o"
            )
        if target != files.STDIN and os.path.dirname(target):
            files.make_folder(os.path.dirname(target))
        with files.writing(target) as file, compression.compressing(file, packed) as out:
            writer = archive.Writer(out, self.source.format)
            for member, held in self.members(ratio):
                new, text = self.place(member.number), self.texts.get(member.number)
                if (member.wrong and held is None and member.stream is not None) or member.number in self.dropped:
                    continue
                if text and text.inside and os.path.exists(new):
                    writer.add(member, new, text.inside.clean)
                else:
                    writer.add(member, held, member.name)
            writer.close()

    def members(self, ratio: int) -> Iterator[tuple[archive.Member, str | None]]:
        """Members, each with the file that holds its contents until the next one. Damage that was told ends them."""
        source, held = self.source, os.path.join(self.folder, "member")
        try:
            yield from archive.extracted(source.path, source.format, source.name, ratio, held)
        except InputError:
            if not self.damaged:
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
    with open(path, "wb") as copy:
        copy.write(files.read(source.path))
    return path


def _members(reading: Reading, work: Archive, tally: Tally) -> Iterator[Source]:
    """The members of an archive that hold texts, each in a file of its own. What is wrong with one is told."""
    source = work.source
    try:
        for member, held in archive.extracted(
            source.path, source.format, source.name, reading.max_ratio, os.path.join(work.folder, "member")
        ):
            if member.wrong:
                tally.fail(Failure(source.file, None, f"{source.name}: {files.show(member.name)}: {member.wrong}"))
            if held is None or member.wrong:
                work.damaged = work.damaged or (bool(member.wrong) and held is None)
                continue
            path = os.path.join(work.folder, f"{member.number}-{os.path.basename(member.name)[-100:]}")
            os.rename(held, path)
            file, below = f"{source.file}/{member.name}", f"{source.below}/{member.name}"
            found = replace(reading, input_format="auto").source(path, file, below, True)
            if found.archive:
                os.unlink(path)  # an archive in an archive stays as it is
                tally.skipped.append(file)
                continue
            clean = member.name + found.clean.removeprefix(found.below)
            work.texts[member.number] = replace(
                found, inside=Inside(source.below, source.format, source.packed, clean, member.about)
            )
            yield work.texts[member.number]
    except InputError as error:
        tally.fail(Failure(source.file, None, str(error)))
        work.damaged = True
