"""The original's recyclable variable, written anew from its rules, as the peer that ours is measured against.

A counter of recycles belongs to the current context; each variable has a counter of updates. A value can be read while
there were fewer recycles than updates. No recycle yet counts as the zeroth, and so does the first.
"""

from contextvars import ContextVar

_MISSING = object()
_recycles: ContextVar[int] = ContextVar("recycles")


def recycle() -> None:
    """Makes the values of all variables unreadable in the current context."""
    try:
        _recycles.set(_recycles.get() + 1)
    except LookupError:
        _recycles.set(0)


class RecyclableVariable:
    """A variable whose value is gone after the next recycle."""

    def __init__(self, variable):
        self._variable = variable
        self._updates: ContextVar[int] = ContextVar(variable.name + ".updates", default=0)

    def get(self, default=_MISSING):
        """The value, or the default; LookupError without one."""
        recycles = _recycles.get(0)
        updates = self._updates.get()
        if recycles > updates:
            self._updates.set(recycles)
        if recycles < updates:
            return self._variable.get()
        if default is _MISSING:
            raise LookupError
        return default

    def set(self, value) -> None:
        """Stores a value until the next recycle."""
        recycles = _recycles.get(0)
        updates = self._updates.get()
        if recycles > updates:
            self._updates.set(recycles)
            updates = recycles
        if recycles == updates:
            self._updates.set(updates + 1)
        self._variable.set(value)
