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
            cls._places = {name: at for at, name in enumerate(cls._fields)}
            cls._last = tuple(cls.__dict__[name] for name in cls._fields if name in cls.__dict__)  # the defaults
            for name, at in cls._places.items():
                setattr(cls, name, _tuplegetter(at, name))

        def __new__(cls, *values, **named):
            left = len(cls._fields) - len(values)
            if not named and 0 <= left <= len(cls._last):
                return tuple.__new__(cls, values + cls._last[len(cls._last) - left :] if left else values)
            known = dict(zip(cls._fields[len(cls._fields) - len(cls._last) :], cls._last, strict=True))
            known.update(zip(cls._fields, values, strict=False))
            known.update(named)
            if left < 0 or len(known) > len(cls._fields):
                raise TypeError(f"{cls.__name__} takes {', '.join(cls._fields)}")
            try:
                return tuple.__new__(cls, [known[name] for name in cls._fields])
            except KeyError as missing:
                raise TypeError(f"{cls.__name__} needs {missing}") from None

        def _replace(self, **changes):
            values, places = list(self), self._places
            try:
                for name, value in changes.items():
                    values[places[name]] = value
            except KeyError:
                raise TypeError(f"{type(self).__name__} takes {', '.join(self._fields)}") from None
            return tuple.__new__(type(self), values)

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            return f"{type(self).__name__}({', '.join(f'{n}={v!r}' for n, v in self._asdict().items())})"

        def __getnewargs__(self):
            return tuple(self)
