"""Words of the lexicon, by sentences written for this file: what is found, and what speaks of nobody."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otrack_risk.reference import load
from otrack_risk.text.lexicons import find, forms, found, generic_use, settle, terms
from otrack_risk.text.spans import LABELS
from otrack_risk.text.windows import fold, speaks_of_somebody

HEALTH, FAITH = "HEALTH_SEND", "RELIGION"
ORIGIN, STATUS = "ETHNICITY_NATIONALITY_LANGUAGE", "SAFEGUARDING_STATUS"


def read(text: str, *, named: bool | None = True) -> list[tuple[str, str]]:
    return [(text[span.start : span.end], span.label) for span in find(text, named=named)]


# ---------------------------------------------------------------------------------------------------------- the table


def test_every_term_has_a_label_of_the_contract_a_known_category_and_a_legal_tag():
    categories = {entry["name"] for entry in load("categories").entries["category"]}
    for term in terms():
        assert term.label in LABELS, term
        assert term.category in categories, term
        assert term.legal in {"UK GDPR Art. 9", "UK GDPR Art. 10", "vulnerability"}, term
        assert 0.35 <= term.score <= 1, term


def test_no_term_is_listed_twice():
    listed = [fold(term.text) for term in terms()]
    # Polish, and polish right after a word of speaking, are one word under two conditions.
    assert sorted({word for word in listed if listed.count(word) > 1}) == ["polish"]


def test_every_entry_says_how_it_was_made():
    for array in ("entry", "words", "window", "extension"):
        for entry in load("lexicon").entries[array]:
            assert entry["status"] in {"derived", "assumed"}
            assert len(entry.get("because", entry.get("working"))) > 10


def test_every_word_set_and_kind_that_is_asked_for_is_there():
    sets = {entry["name"] for entry in load("lexicon").entries["words"]}
    kinds = {term.kind for term in terms()}
    assert {name for term in terms() for name in (*term.near, *term.led_by)} <= {*sets, "a language"}
    assert {kind for entry in load("lexicon").entries["window"] for kind in entry["kinds"]} <= kinds


def test_a_window_for_certain_terms_names_terms_that_are_there():
    texts = [term.text for term in terms()]
    for entry in load("lexicon").entries["window"]:
        for word in entry.get("terms", ()):
            assert any(text.startswith(word) for text in texts), word


# ------------------------------------------------------------------------------------------- what each category finds


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Orla: SLCN, on the SEN register.", ["SLCN", "SEN register"]),
        ("Orla has an EHCP review in June", ["EHCP review"]),
        ("S.E.M.H. is the main need for Orla", ["S.E.M.H"]),
        ("Orla's primary need is HI", ["HI"]),
        ("Orla is autistic", ["autistic"]),
        ("Orla has ADHD and dyspraxia", ["ADHD", "dyspraxia"]),
        ("Orla: severe cow's milk allergy", ["severe cow's milk allergy"]),
        ("Orla is allergic to wasp stings", ["allergic to wasp stings"]),
        ("type-1 diabetes, says Orla's gran", ["type-1 diabetes"]),
        ("Orla has Down’s syndrome", ["Down’s syndrome"]),
        ("Orla has Downs syndrome", ["Downs syndrome"]),
        ("Orla had two seizures", ["seizures"]),
        ("Orla is a wheelchair user", ["wheelchair user"]),
        ("Orla sees CAMHS", ["CAMHS"]),
        ("Orla stuttered all morning", ["stuttered"]),
        ("Orla vomited at lunch", ["vomited"]),
        ("Orla takes sertraline", ["sertraline"]),
        ("Orla needs a hearing aid battery", ["hearing aid"]),
        ("Orla: one to one support until May", ["one to one support"]),
        ("Orla's athsma is bad", ["athsma"]),
    ],
)
def test_health_and_special_needs_are_found(note: str, words: list[str]):
    assert read(note) == [(word, HEALTH) for word in words]


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Idris is away for Eid al-Adha", ["Eid al-Adha"]),
        ("The family are Sikhs", ["Sikhs"]),
        ("Idris's family is Christian", ["Christian"]),
        ("Jehovahs Witness, so no birthday cake for Idris", ["Jehovahs Witness"]),
        ("halal for Idris please", ["halal"]),
        ("Idris withdrawn from collective worship", ["withdrawn from collective worship"]),
        ("Idris may wear a kippah", ["kippah"]),
        ("Idris is tired after mosque", ["after mosque"]),
        ("Idris gave up crisps for Lent", ["Lent"]),
    ],
)
def test_religion_is_found(note: str, words: list[str]):
    assert read(note) == [(word, FAITH) for word in words]


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Mum is Latvian", ["Latvian"]),
        ("Vera: Polish, EAL", ["Polish", "EAL"]),
        ("Vera only speaks polish", ["polish"]),
        ("Vera speaks Tigrinya at home", ["Tigrinya"]),
        ("Vera is mixed-race", ["mixed-race"]),
        ("Gypsy/Roma, site closing, Vera may move", ["Gypsy/Roma"]),
        ("Vera arrived from Sudan in May", ["Sudan"]),
        ("Vera is half French", ["French"]),
        ("Vera Lund (Japanese)", ["Japanese"]),
        ("Vera is new to English", ["new to English"]),
        ("ethnicity code MWAS for Vera", ["MWAS"]),
        ("Turkish interpreter for Vera's gran", ["Turkish interpreter"]),
    ],
)
def test_ethnicity_nationality_and_language_are_found(note: str, words: list[str]):
    assert read(note) == [(word, ORIGIN) for word in words]


@pytest.mark.parametrize(
    ("note", "word", "legal"),
    [
        ("Ned is on a child protection plan", "child protection plan", "vulnerability"),
        ("Ned is a looked-after child", "looked-after child", "vulnerability"),
        ("Ned has FSM", "FSM", "vulnerability"),
        ("Ned is PP", "PP", "vulnerability"),
        ("Ned, young carer", "young carer", "vulnerability"),
        ("Ned was bruised", "bruised", "vulnerability"),
        ("Ned claimed asylum", "asylum", "vulnerability"),
        ("Ned permanently excluded", "permanently excluded", "vulnerability"),
        ("Ned is bereaved", "bereaved", "vulnerability"),
        ("Ned's dad is in prison", "in prison", "UK GDPR Art. 10"),
        ("Ned was arrested", "arrested", "UK GDPR Art. 10"),
        ("Ned says that he is gay", "gay", "UK GDPR Art. 9"),
    ],
)
def test_safeguarding_and_status_are_found_with_their_legal_tag(note: str, word: str, legal: str):
    [(span, term)] = found(note, named=True)
    assert (note[span.start : span.end], span.label, term.legal, span.form) == (word, STATUS, legal, term.category)


# ------------------------------------------------------------------------------------------- what speaks of nobody


@pytest.mark.parametrize(
    "note",
    [
        "EHCP training for the office on Monday",
        "Epilepsy and asthma training, hall, 4 pm",
        "New asthma policy on the website",
        "Eid assembly planning",
        "Diwali display needs more paint",
        "Topic: Islam",
        "RE: Judaism, chapter 2",
        "Class trip to the synagogue",
        "Year 5 are learning about Sikhism",
        "French lesson in room 3",
        "Spanish speaking test on Thursday",
        "Polish the brass band's trumpets",
        "Greek myths and African drumming",
        "Danish pastries in the staff room",
        "Ancient Egyptian masks",
        "the English test",
        "Christmas play",
        "The depressed key sticks",
        "World Diabetes Day",
        "Fundraising for cancer",
        "Anti-bullying week",
        "Disabled toilet is out of order",
        "A police car came to the summer fair",
        "Catholic primary schools' football cup",
        "FSM forms due Friday",
        "SEND team meeting",
        "Charged particles and a suspension bridge",
    ],
)
def test_a_thing_or_a_lesson_is_nobodys_fact(note: str):
    assert find(note, named=False) == []


@pytest.mark.parametrize(
    "note",
    [
        "Ada has no known allergies",
        "Ada is not autistic",
        "Ada does not have an EHCP",
        "Ada is not on FSM",
        "Allergies: none. Religion: none. SEN: no.",
        "Ada isn't Muslim",
        "No history of seizures, Ada's gran says",
    ],
)
def test_what_is_denied_is_not_counted(note: str):
    assert find(note, named=True) == []


@pytest.mark.parametrize(
    "note",
    [
        "No dietary requirements or allergies reported for this group",
        "No health needs or conditions recorded for Ada",
        "No additional needs or EHCP for Ada",
        "Ada has no known medical conditions or seizures",
        "No known dietary needs or nut allergy",
        "Ada: no special needs, no SEN support",
    ],
)
def test_a_denial_reaches_over_a_pair(note: str):
    assert find(note, named=True) == []


@pytest.mark.parametrize(
    "note",
    [
        "Ada told the DSL; logged on CPOMS and passed to SLT",
        "The EWO and the DDSL have the file on MyConcern",
        "Ada bumped her head and had a nosebleed, cold compress",
        "Letter from the surgery for Ada",
        "Ada chose a wobble cushion and ear defenders today",
        "Mum has parental responsibility for Ada",
        "The police came to the gate about parking, Ada saw them",
        "Ada's guinea pig died, funeral in the garden",
        "Grandad died, so Ada is in late",
        "Ada disclosed that she likes maths; her dad is deployed as a steward",
        "Ada's club is suspended, and her dinner account is suspended",
        "Ada used a bilingual dictionary",
        "Jo Stone (educational psychologist) watched the lesson",
        "No pork for Ada please, and she is vegetarian",
        "Ethnicity was blank on Ada's form",
    ],
)
def test_jobs_systems_small_accidents_and_hints_tell_nothing_of_a_person(note: str):
    assert find(note, named=True) == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Ada was referred to the occupational therapist", ["occupational therapist"]),
        ("Ada sees a counsellor on Fridays", ["counsellor"]),
        ("Ada: SLT report received, next block in May", ["SLT report"]),
        ("Waiting for an appointment with the paediatrician for Ada", ["paediatrician"]),
        ("EP assessment booked for Ada", ["EP assessment"]),
        ("Ada had surgery on her ear", ["surgery"]),
        ("Ada is off after an operation", ["operation"]),
        ("Ada has broken her wrist", ["broken her wrist"]),
        ("He broke his collarbone at rugby", ["broke his collarbone"]),
        ("Ada gets travel sick", ["travel sick"]),
        ("Ada has a tummy bug", ["tummy bug"]),
        ("Ada has a needle phobia", ["needle phobia"]),
        ("Mum wants more one-to-one for Ada", ["one-to-one"]),
    ],
)
def test_therapies_operations_and_illness_are_found_where_a_child_has_them(note: str, words: list[str]):
    assert read(note) == [(word, HEALTH) for word in words]


@pytest.mark.parametrize(
    "note",
    [
        "Training in the hall at four. Autism, ADHD and dyslexia, bring a laptop",
        "INSET day: epilepsy, diabetes, asthma pens to be checked",
        "Whole school assembly. Diwali lamps and candles",
        "Governors: attainment of EAL, FSM and SEN",
        "PSHE quiz on Friday. Anxiety, depression, self-harm",
        "Diwali lights go up in the hall",
        "RE unit: Islam. The Christianity unit follows, then Judaism",
    ],
)
def test_an_occasion_speaks_for_the_whole_note_when_nobody_is_named(note: str):
    assert find(note, named=False) == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Vera answers in English", ["English"]),
        ("Bengali and English at home", ["Bengali", "English"]),
        ("Vera: Lithuanian / English", ["Lithuanian", "English"]),
        ("Vera (French, new in May)", ["French"]),
        ("Vera's family speak Italian and Twi", ["Italian", "Twi"]),
        ("Vera is of Traveller heritage", ["Traveller heritage"]),
        ("Irish Traveller family, Vera starts in June", ["Irish Traveller family"]),
        ("Vera sits the Cantonese GCSE early", ["Cantonese"]),
        ("Vera came on a BN(O) passport", ["BN(O) passport"]),
        ("Vera's gran speaks Hakka, her mum is Goan", ["Hakka", "Goan"]),
        ("Spanish at home, says Vera", ["Spanish"]),
        ("Vera, Beninese, first language French", ["Beninese", "French"]),
    ],
)
def test_a_language_or_people_is_somebodys_beside_speaking_home_or_another_language(note: str, words: list[str]):
    assert read(note) == [(word, ORIGIN) for word in words]


@pytest.mark.parametrize(
    "note",
    [
        "Vera did well in English and maths",
        "English, French and science homework for Vera",
        "Vera missed her German test",
        "Vera's English book is lost",
        "Spanish vocab for Vera",
        "The traveller in Vera's story",
        "Vera read about the Irish famine",
        "Chinese new year craft with Vera's group",
        "Vera: Italian trip letter returned",
    ],
)
def test_a_language_that_is_taught_is_a_lesson_also_when_somebody_is_named(note: str):
    assert find(note, named=True) == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Idris prays Dhuhr in the library", ["prays", "Dhuhr"]),
        ("Idris off for Onam", ["Onam"]),
        ("Idris keeps Pascha with his gran", ["Pascha"]),
        ("His family keep Dussehra", ["Dussehra"]),
        ("Idris is absent for Losar", ["Losar"]),
        ("Idris: Tisha B'Av, authorised", ["Tisha B'Av"]),
    ],
)
def test_feasts_and_prayers_are_found_where_somebody_keeps_them(note: str, words: list[str]):
    assert read(note) == [(word, FAITH) for word in words]


def test_an_occasion_does_not_speak_for_what_stands_before_it():
    assert read("Nut allergy, EpiPen in office. EHCP training Friday.", named=False) == [
        ("Nut allergy, EpiPen", HEALTH)
    ]


def test_a_caution_is_the_polices_only_beside_a_word_of_law():
    assert read("Ned was given a caution for theft") == [("caution", STATUS)]
    assert read("Ned takes caution with the wet floor") == []


def test_no_span_is_empty_where_one_term_lies_in_the_words_that_belong_to_another():
    assert read("Waiting list for SEMH needs assessment for Ned") == [("SEMH needs assessment", HEALTH)]


def test_what_is_over_or_not_at_hand_is_counted():
    assert read("Ada is no longer on a CP plan") == [("CP plan", STATUS)]
    assert read("No inhaler in school today for Ada") == [("inhaler", HEALTH)]


def test_a_list_or_a_meeting_is_somebodys_when_somebody_is_named():
    assert read("EHCP meeting at 2", named=False) == []
    assert read("EHCP meeting for Ada at 2", named=True) == [("EHCP meeting", HEALTH)]
    assert read("EHCP meeting at 2, her gran comes", named=False) == [("EHCP meeting", HEALTH)]  # a pronoun is enough


def test_generic_use_answers_for_one_place():
    asthma = next(term for term in terms() if term.text == "asthma")
    assert generic_use("asthma policy", 0, 6, asthma)
    assert generic_use("no asthma", 3, 9, asthma)
    assert not generic_use("asthma, worse at night", 0, 6, asthma)


def test_a_new_sentence_ends_the_window():
    assert read("Ben has asthma. Training is on Monday.") == [("asthma", HEALTH)]
    assert read("Training on Monday. Ben has asthma.") == [("asthma", HEALTH)]


def test_time_words_are_no_bridge_to_a_thing():
    # "week" after a condition makes an awareness week of it, but not over "this" or "last".
    assert find("Asthma week", named=True) == []
    assert read("Ben's asthma this week") == [("asthma", HEALTH)]


# ----------------------------------------------------------------------------------------- letters, words, capitals


@pytest.mark.parametrize(
    "note",
    [
        "Ben will add the date",
        "Ben sat the CAT test",
        "Ben drew a cat",
        "Please send Ben home",
        "Ben had mash for lunch",
        "Ben said hi",
        "A pep talk for Ben",
        "Ben put salt on it",
        "Ben lent me a pen",
        "What an odd shape, Ben",
        "PLEASE SEND BEN TO THE OFFICE",
        "Ben polished the cup and used polish remover",
        "Ben's tax on taxis",
        "Ben is in Mr French's form with Miss Church",
        "Christian was late",
        "a jewel and a jewellery box for Ben",
    ],
)
def test_other_words_of_the_same_letters_are_left_alone(note: str):
    assert find(note, named=True) == []


def test_the_same_letters_in_capitals_are_the_term():
    assert read("Ben has ADD") == [("ADD", HEALTH)]
    assert read("Ben: SEND, MASH told") == [("SEND", HEALTH), ("MASH", STATUS)]
    assert read("ben has adhd and an ehcp") == [("adhd", HEALTH), ("ehcp", HEALTH)]  # no other word


def test_ambiguous_words_need_somebody():
    bullies = "Being bullied is never right"
    assert find(bullies, named=False) == []
    assert read(bullies, named=True) == [("Being bullied", STATUS)]


def test_without_a_roster_a_pronoun_a_relative_or_a_name_is_somebody():
    assert speaks_of_somebody("she slept badly")
    assert speaks_of_somebody("rang mum")
    assert speaks_of_somebody("Rang home about Ottilie")
    assert not speaks_of_somebody("Rang the caretaker on Monday")


def test_folding_drops_capitals_accents_and_hyphens_and_straightens_apostrophes():
    assert fold("Self-Harm ’n’ café") == "self harm 'n' cafe"


@given(st.text(max_size=80))
def test_any_text_folds_to_as_many_letters_and_gives_spans_inside_it_in_order(text: str):
    assert len(fold(text)) == len(text)
    spans = find(text, named=True)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(left.end <= right.start for left, right in pairwise(spans))


words_of_notes = st.sampled_from(
    [
        "asthma",
        "EHCP",
        "training",
        "Polish",
        "the",
        "no",
        "Eid",
        "EpiPen",
        "for",
        "family",
        "social",
        "worker",
        ",",
        "x",
    ]
)


# The slow way: every form is looked for at every place.
@given(st.lists(words_of_notes, max_size=12).map(" ".join))
def test_the_automaton_finds_what_is_found_by_looking_for_each_form_at_each_place(text: str):
    folded = fold(text)
    hits = [
        (place, place + len(form), term)
        for form, of in forms().items()
        if form in folded
        for place in range(len(folded))
        if folded.startswith(form, place)
        and not (place and folded[place - 1].isalnum())
        and not folded[place + len(form) : place + len(form) + 1].isalnum()
        for term in of
    ]
    assert settle(text, folded, hits, named=True) == found(text, named=True)


# ------------------------------------------------------------------------------------------------ how far a fact goes


def test_a_treatment_beside_its_condition_is_one_fact():
    assert read("asthma, blue inhaler") == [("asthma, blue inhaler", HEALTH)]
    assert read("EpiPen for nut allergy") == [("EpiPen for nut allergy", HEALTH)]


def test_two_facts_stay_two_and_nothing_is_joined_across_a_name():
    assert read("ADHD and dyslexia") == [("ADHD", HEALTH), ("dyslexia", HEALTH)]
    assert read("Ben asthma, Zoe inhaler") == [("asthma", HEALTH), ("inhaler", HEALTH)]


def test_the_longest_of_overlapping_terms_is_taken():
    assert read("Ben is Black Caribbean") == [("Black Caribbean", ORIGIN)]
    assert read("Ben, speech and language therapy") == [("speech and language therapy", HEALTH)]


@pytest.mark.parametrize(
    "note",
    [
        "Wheezing after cross country, sat out.",
        "Nits again in 2M.",
        "He fainted in the queue.",
        "She had her tics under control today.",
        "Mum is in hospital until Friday.",
        "He may not be collected by Dave, password with the office. Dave must not collect.",
        "Checked his blood sugar at 11.",
        "Went to A&E to be on the safe side.",
        "Worked in the sensory room after lunch.",
        "PCSO came to the gate.",
        "Clay pots are on the shelf for her.",
        "Visa letter asked for by mum.",
    ],
)
def test_signs_that_pass_rooms_and_who_collects_tell_no_condition_or_status(note: str):
    assert read(note) == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Mum has MS, so Gran collects.", ["MS"]),
        ("His dad's MND is worse.", ["MND"]),
        ("Nan has COPD.", ["COPD"]),
        ("Grandad has dementia and lives with them.", ["dementia"]),
        ("Dad diagnosed with Huntington's.", ["diagnosed with Huntington's"]),
        ("Seen for POTS, she has POTS.", ["POTS"]),
        ("Gran had a stroke on Sunday.", ["had a stroke"]),
        ("Ms Hall told ME to ask.", []),
        ("She has a MS paint file.", []),
        ("Tongue-tied baby brother, she helps.", ["Tongue-tied"]),
        ("He has Addison's disease.", ["Addison's disease"]),
        ("G6PD deficiency, no mothballs in her coat.", ["G6PD deficiency"]),
        ("On quetiapine since May, she says.", ["quetiapine"]),
    ],
)
def test_illness_of_adults_and_by_its_letters_is_found(note: str, words: list[str]):
    assert [word for word, label in read(note) if label == "HEALTH_SEND"] == words


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("Fasting this month for Ramadan, sits in the library.", ["Ramadan"]),
        ("He prays at lunch during Ramadan.", ["Ramadan"]),
        ("She is fasting today.", ["is fasting"]),
        ("Excused for Diwali. Mum asks for a room to pray.", ["Diwali", "to pray"]),
        ("Serbian family (Serbian, Orthodox).", ["Orthodox"]),
        ("An orthodox way to do long division.", []),
        ("Sits out the carol service, Jehovah's Witness.", ["Jehovah's Witness"]),
        ("Quaker, happy with the nativity.", ["Quaker"]),
    ],
)
def test_one_feast_is_one_fact_and_an_adherent_stays_one_beside_a_service(note: str, words: list[str]):
    assert [word for word, label in read(note) if label == "RELIGION"] == words


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("(code T, Traveller), back in May.", ["Traveller"]),
        ("(new, Traveller; no phone)", ["Traveller"]),
        ("Mandarin only, use the app.", ["Mandarin"]),
        ("Gran speaks to us in Persian mostly.", ["Persian"]),
        ("Time traveller story due.", []),
    ],
)
def test_a_people_in_a_bracket_and_the_only_language_are_somebodys(note: str, words: list[str]):
    assert [word for word, label in read(note) if label == "ETHNICITY_NATIONALITY_LANGUAGE"] == words


@pytest.mark.parametrize(
    "note", ["GCSE Turkish and Greek results are in.", "A Danish delegation visits.", "A level Portuguese starts at 2."]
)
def test_an_examination_or_a_delegation_is_nobodys_people(note: str):
    assert read(note, named=False) == []


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ("MARF sent at 3.", ["MARF"]),
        ("Referral order until June.", ["Referral order"]),
        ("YJS worker rang about him.", ["YJS"]),
        ("Community resolution agreed for the shop.", ["Community resolution"]),
        ("Twins, adopted, do not discuss.", ["adopted"]),
        ("She adopted a penguin for the class.", []),
        ("He says the new motto was adopted by the council.", []),
    ],
)
def test_orders_forms_and_adoption_are_status(note: str, words: list[str]):
    assert [word for word, label in read(note) if label == "SAFEGUARDING_STATUS"] == words
