"""The last layer of a scan, a model that finds people: what it has to answer, and which one is used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from otrack_risk.errors import ParameterError
from otrack_risk.text.spans import Span


class Model(Protocol):
    """A model that finds people: asked only of notes with a word in capitals that nothing explains."""

    name: str

    def people(self, text: str, known: Sequence[Span]) -> list[Span]:
        """The people in a text that are not among ``known``."""
        ...


@runtime_checkable
class ManyModel(Protocol):
    """A model that is faster where it is asked about many texts at once."""

    def people_of(self, texts: Sequence[str], known: Sequence[Sequence[Span]]) -> Iterable[list[Span]]:
        """As :meth:`people`, text by text."""
        ...


@runtime_checkable
class WholeModel(Protocol):
    """A layer that finds more than people, and is asked of every note."""

    def spans(self, text: str) -> list[Span]:
        """All but people, with labels of the scan."""
        ...


def model_of(name: str | None) -> Model | None:
    """The model of that name; where None, whatever is installed; None for "none", or where nothing is.

    Raises
    ------
    ParameterError
        A model was named, and what reads it is not installed.
    """
    if name == "none":
        return None
    try:
        from otrack_risk.text import presidio  # type: ignore[attr-defined,unused-ignore]
    except ImportError:
        if name is None:
            return None
        raise ParameterError(
            "model: pipelines of spaCy cannot be read here.", "install otrack-risk[ner], or scan with --model none."
        ) from None
    found: Model | None = presidio.model(name)
    return found


def people_of(model: Model, texts: Sequence[str], known: Sequence[Sequence[Span]]) -> Iterable[list[Span]]:
    """The people that a model finds in each note, all asked about at once where it can be."""
    if isinstance(model, ManyModel):
        return model.people_of(texts, known)
    return (model.people(*each) for each in zip(texts, known, strict=True))
