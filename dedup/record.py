"""A named tuple that costs nothing to import.

`typing` and `dataclasses` each take as long to import as the bare filter takes to clean a small article. A type checker
sees `typing.NamedTuple`; at run time the same class syntax makes a tuple with named fields.
"""

__all__ = ["TYPE_CHECKING", "Record"]

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import NamedTuple as Record
else:
    try:  # what `collections` makes of it for its own named tuples: read in C
        from _collections import _tuplegetter
    except ImportError:
        from operator import itemgetter

        def _tuplegetter(at, doc):
            return property(itemgetter(at), doc=doc)

    class Record(tuple):
        """The base of all value types: fields are the annotations, defaults the class attributes."""

        __slots__ = ()
        _fields = ()

        def __init_subclass__(cls):
            cls._fields = tuple(cls.__annotations__)
            cls._defaults = {name: cls.__dict__[name] for name in cls._fields if name in cls.__dict__}
            for at, name in enumerate(cls._fields):
                setattr(cls, name, _tuplegetter(at, name))

        def __new__(cls, *values, **named):
            if not named and len(values) == len(cls._fields):
                return tuple.__new__(cls, values)
            named = {**dict(zip(cls._fields, values, strict=False)), **named}
            if len(values) > len(cls._fields) or not named.keys() <= set(cls._fields):
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            try:
                return tuple.__new__(cls, [named[n] if n in named else cls._defaults[n] for n in cls._fields])
            except KeyError as missing:
                raise TypeError(f"{cls.__name__} needs {missing}") from None

        def _replace(self, **changes):
            values = [changes.pop(name, value) for name, value in zip(self._fields, self, strict=True)]
            if changes:
                raise TypeError(f"{type(self).__name__} takes {', '.join(self._fields)}")
            return tuple.__new__(type(self), values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)
