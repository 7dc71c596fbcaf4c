"""Presidio both ways: our recognisers within its engine, and any of its engines as a layer of our scan.

    registry(pupils)           our recognisers, and those of Presidio for what we lack, for an AnalyzerEngine
    engine(pupils)             an AnalyzerEngine with them that needs no model and never downloads one
    layer(analyzer)            an AnalyzerEngine as the model of a scan
    model(name)                a pipeline of spaCy as the model of a scan; what ``--model`` names

Presidio is read only where one of the first three is called; a scan does without it.

Notes
-----
Two things of Presidio are kept from happening. ``AnalyzerEngine()`` with nothing in brackets downloads a model: an
engine is always made with its parts. Its recogniser of e-mail addresses asks ``tldextract``, whose first call asks the
network, and which takes name@school.sch.uk for no address, as every name under sch.uk is a suffix to it: that list is
bound to the copy in its package, and addresses are ours to find. American recognisers are left out (they take a UPN for
a driving licence); of the British ones those that we have better stand under Presidio's names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from otrack_risk.errors import ParameterError
from otrack_risk.text.model import MEND, pipeline
from otrack_risk.text.note import touches
from otrack_risk.text.roster import Roster
from otrack_risk.text.spans import LABELS, Span

if TYPE_CHECKING:
    import polars as pl
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry

    from otrack_risk.text.model import Pipeline

ENTITIES = {  # our label -> the entity of Presidio, which its anonymiser and users know
    "PERSON": "PERSON",
    "ADDRESS": "ADDRESS",
    "POSTCODE": "UK_POSTCODE",
    "PHONE": "PHONE_NUMBER",
    "EMAIL": "EMAIL_ADDRESS",
    "DOB": "DATE_OF_BIRTH",
    "UPN": "UK_UPN",
    "ULN": "UK_ULN",
    "NHS": "UK_NHS",
    "NINO": "UK_NINO",
    "VEHICLE": "UK_VEHICLE_REGISTRATION",
    "FILENAME": "FILE_NAME",
    "USERNAME": "USERNAME",
    "SCHOOL": "UK_SCHOOL",
    "HEALTH_SEND": "HEALTH_SEND",
    "RELIGION": "RELIGION",
    "ETHNICITY_NATIONALITY_LANGUAGE": "ETHNICITY_NATIONALITY_LANGUAGE",
    "SAFEGUARDING_STATUS": "SAFEGUARDING_STATUS",
}
_FACTS = LABELS[14:]
_GIVEN = {entity: label for label, entity in ENTITIES.items()}  # the label of an entity of Presidio


def model(name: str | None) -> Pipeline | None:
    """The pipeline of spaCy of that name; where None, whatever is installed; None for "none", or where nothing is.

    Raises
    ------
    ParameterError
        A pipeline was named that is not installed, cannot be read, or finds no people.
    """
    return None if name == "none" else pipeline(name)


def registry(
    children: pl.DataFrame | Roster, staff: pl.DataFrame | None = None, notes: pl.Series | None = None
) -> RecognizerRegistry:
    """Our recognisers for the people of a table, and Presidio's own for what we do not look for.

    Parameters
    ----------
    children : the table of the children, as :meth:`Roster.of` takes it (one of pandas too), or a roster
    staff : the table of the staff
    notes : tell how words are used, where they are at hand: whether a name is more often a word

    Raises
    ------
    ParameterError
        Presidio is not installed.

    Notes
    -----
    From Presidio: passports and driving licences of the United Kingdom, payment cards, IBANs, IP addresses. Each result
    has the rows of the children whom it can mean under ``recognition_metadata["subjects"]``.
    """
    offline()
    from presidio_analyzer import RecognizerRegistry, predefined_recognizers

    from otrack_risk.text.recognisers import Reading, School

    roster = (
        children
        if isinstance(children, Roster)
        else Roster.of(_polars(children), None if staff is None else _polars(staff))
    )
    reading = Reading(roster, notes)
    kinds = {
        "People of the school": ["PERSON"],
        "Formats of schools": [label for label in LABELS if label != "PERSON" and label not in _FACTS],
        "Facts about children": list(_FACTS),
    }
    ours = [
        School(kind, {label: ENTITIES[label] for label in labels}, reading, roster.ids)
        for kind, labels in kinds.items()
    ]
    theirs = ("UkPassport", "UkDrivingLicence", "CreditCard", "Iban", "Ip")
    return RecognizerRegistry(
        [*ours, *(getattr(predefined_recognizers, f"{kind}Recognizer")() for kind in theirs)],
        supported_languages=["en"],
    )


def engine(
    children: pl.DataFrame | Roster, staff: pl.DataFrame | None = None, notes: pl.Series | None = None
) -> AnalyzerEngine:
    """An engine of Presidio with our recognisers, on its ``no_op`` language engine: no model, nothing downloaded.

    Raises
    ------
    ParameterError
        Presidio is not installed.
    """
    held = registry(children, staff, notes)
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    asked = {"nlp_engine_name": "no_op", "models": [{"lang_code": "en", "model_name": "no_op"}]}
    nlp = NlpEngineProvider(nlp_configuration=asked).create_engine()
    return AnalyzerEngine(registry=held, nlp_engine=nlp, supported_languages=["en"])


def layer(analyzer: AnalyzerEngine, labels: Mapping[str, str] | None = None, language: str = "en") -> Layer:
    """An engine of Presidio as the model of a scan.

    Parameters
    ----------
    labels : the label of the scan for each entity that is taken; PERSON and those that both have, where not given
    language : in which it is asked

    Raises
    ------
    ParameterError
        A label that is none of the scan's.
    """
    offline()
    supported = set(analyzer.get_supported_entities(language))
    taken = dict(_GIVEN) if labels is None else dict(labels)
    if unknown := [label for label in taken.values() if label not in LABELS]:
        raise ParameterError(f"labels: '{unknown[0]}' is no label of the scan.", f"use those of {', '.join(LABELS)}.")
    return Layer(analyzer, {entity: label for entity, label in taken.items() if entity in supported}, language)


class Layer:
    """An engine of Presidio that a scan asks: about people where a word is unexplained, about all else everywhere.

    What it finds beside people gives way to what the scan finds there by itself, where that is longer or surer.
    """

    name = "presidio"

    def __init__(self, analyzer: AnalyzerEngine, labels: Mapping[str, str], language: str) -> None:
        self._analyzer, self._labels, self._language = analyzer, labels, language
        self._people = [entity for entity, label in labels.items() if label == "PERSON"]
        self._others = [entity for entity, label in labels.items() if label != "PERSON"]

    def people(self, text: str, known: Sequence[Span] = ()) -> list[Span]:
        """The people in a text that are not among ``known``."""
        shut = [(span.start, span.end) for span in known if span.label != "PERSON"]
        return [span for span in self._asked(text, self._people) if not touches(span.start, span.end, shut)]

    def spans(self, text: str) -> list[Span]:
        """All but people, with labels of the scan."""
        return self._asked(text, self._others)

    def _asked(self, text: str, entities: Sequence[str]) -> list[Span]:
        if not entities:
            return []
        found = self._analyzer.analyze(text, language=self._language, entities=list(entities))
        return [
            Span(each.start, each.end, self._labels[each.entity_type], min(each.score, 1.0))
            for each in sorted(found, key=lambda result: (result.start, result.end))
        ]


def offline() -> None:
    """Binds the list of domains that Presidio asks to the copy in its package; raises where Presidio is missing."""
    try:
        import presidio_analyzer  # noqa: F401
        from tldextract import tldextract
    except ImportError:
        raise ParameterError("presidio: presidio-analyzer is not installed.", MEND) from None
    bound: Any = tldextract
    if bound.TLD_EXTRACTOR.suffix_list_urls:
        bound.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)


def _polars(table: Any) -> pl.DataFrame:
    """A table of polars, from one of pandas or pyarrow."""
    import narwhals as nw

    held: pl.DataFrame = nw.from_native(table, eager_only=True).to_polars()
    return held
