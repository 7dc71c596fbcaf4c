"""Recognisers for Presidio that look for what this package looks for; imported only where Presidio is used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, RecognizerResult

from otrack_risk.text import words
from otrack_risk.text.mentions import COUNTED
from otrack_risk.text.roster import Roster
from otrack_risk.text.scan import Scanner
from otrack_risk.text.spans import Span


class Reading:
    """One pass of the scan over a text, which the recognisers share: Presidio asks each of them about the same text."""

    def __init__(self, roster: Roster | None, notes: pl.Series | None) -> None:
        self._scanner = Scanner(pl.Series([], dtype=pl.String) if notes is None else notes, roster)
        self._last: tuple[str, tuple[Span, ...]] = ("", ())

    def spans(self, text: str) -> tuple[Span, ...]:
        """All that counts in a text."""
        last = self._last
        if last[0] != text:
            last = self._last = (text, tuple(s for s in self._scanner.spans(text) if s.score >= COUNTED))
        return last[1]


class School(EntityRecognizer):  # type: ignore[misc,unused-ignore]
    """What the scan finds, of some of its labels, under the names that Presidio has for them.

    Parameters
    ----------
    name : of the recogniser
    entities : the entity of each label
    reading : the pass that is shared
    ids : of the roster's rows; told beside each result, under ``subjects``
    """

    def __init__(self, name: str, entities: Mapping[str, str], reading: Reading, ids: Sequence[object] = ()) -> None:
        self._called, self._entities, self._reading, self._ids = name, dict(entities), reading, ids
        super().__init__(supported_entities=sorted(entities.values()), name=name, supported_language="en")

    def load(self) -> None:
        """Reads the word lists, so that the first text is no slower than others."""
        words.uses()

    def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[RecognizerResult]:
        """The results among ``entities``; needs nothing of a language model."""
        return [
            self._result(span)
            for span in self._reading.spans(text)
            if (entity := self._entities.get(span.label)) is not None and (not entities or entity in entities)
        ]

    def _result(self, span: Span) -> RecognizerResult:
        said = f"{span.form} name" if span.form else span.label
        return RecognizerResult(
            entity_type=self._entities[span.label],
            start=span.start,
            end=span.end,
            score=span.score,
            analysis_explanation=AnalysisExplanation(self._called, span.score, textual_explanation=said),
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self._called,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
                "subjects": [self._ids[row] for row in span.subjects],
            },
        )
