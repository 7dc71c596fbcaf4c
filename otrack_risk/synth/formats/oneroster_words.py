"""What OneRoster calls its files and columns, and how it says an English year group and ethnicity."""

from __future__ import annotations

import polars as pl

COMMON = ("sourcedId", "status", "dateLastModified")
_RACES = [
    "americanIndianOrAlaskaNative",
    "asian",
    "blackOrAfricanAmerican",
    "nativeHawaiianOrOtherPacificIslander",
    "white",
    "demographicRaceTwoOrMoreRaces",
    "hispanicOrLatinoEthnicity",
]
TABLES = {
    "academicSessions": "title type startDate endDate parentSourcedId schoolYear",
    "classes": "title grades courseSourcedId classCode classType location schoolSourcedId termSourcedIds subjects "
    "subjectCodes periods",
    "courses": "schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
    "demographics": f"birthDate sex {' '.join(_RACES)} countryOfBirthCode stateOfBirthAbbreviation cityOfBirth "
    "publicSchoolResidenceStatus",
    "enrollments": "classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate",
    "orgs": "name type identifier parentSourcedId",
    "users": "enabledUser orgSourcedIds role username userIds givenName familyName middleName identifier email sms "
    "phone agentSourcedIds grades password",
}
METADATA = {
    "metadata.upn": "upn",
    "metadata.uln": "uln",
    "metadata.yearGroup": "year_group",
    "metadata.ethnicity": "ethnicity",
    "metadata.firstLanguage": "first_language",
    "metadata.fsm": "fsm",
    "metadata.pupilPremium": "pupil_premium",
    "metadata.sen": "sen_provision",
    "metadata.senNeed": "sen_need",
    "metadata.lookedAfter": "looked_after",
    "metadata.serviceChild": "service_child",
}
TABLES_12 = {
    **TABLES,
    "roles": "userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId",
    "users": "enabledUser username userIds givenName familyName middleName identifier email sms phone agentSourcedIds "
    "grades password userMasterIdentifier resourceSourcedIds preferredGivenName preferredMiddleName "
    f"preferredFamilyName primaryOrgSourcedId pronouns {' '.join(METADATA)}",
}
ABSENT = ["categories", "classResources", "courseResources", "lineItems", "resources", "results"]
ABSENT_12 = [*ABSENT, *["lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds"]]
ABSENT_12 += ["resultScoreScales", "scoreScales", "userProfiles", "userResources"]
# Of the codes that say a race of the American list; OOTH, REFU and NOBT say none of them.
_ASIAN = ("AIND", "APKN", "ABAN", "AOTH", "CHNE", "MWAS")
_BLACK = ("BCRB", "BAFR", "BOTH", "MWBC", "MWBA")
_WHITE = ("WBRI", "WIRI", "WIRT", "WROM", "WOTH", "MWBC", "MWBA", "MWAS")
_MIXED = ("MWBC", "MWBA", "MWAS", "MOTH")


def year_words(year: pl.Series) -> pl.Series:
    words = "Year " + year.cast(pl.String)
    return words.set(year == 0, "Reception").set(year < 0, "Nursery").fill_null("Mixed years")


def grades(year: pl.Series) -> pl.Series:
    """The CEDS grade of the same age: Year 1 is for those who turn six, as kindergarten is."""
    grade = (year - 1).cast(pl.String).str.zfill(2)
    return grade.set(year == 1, "KG").set(year < 1, "PK").set(year > 14, None)


def races(ethnicity: pl.Series) -> dict[str, pl.Series]:
    """Race where the code says it: an other mixed background is of two or more races, and of which is not said."""
    known = ethnicity.is_in([*_ASIAN, *_BLACK, *_WHITE])
    said = {
        "asian": ethnicity.is_in(_ASIAN).set(~known, None),
        "blackOrAfricanAmerican": ethnicity.is_in(_BLACK).set(~known, None),
        "white": ethnicity.is_in(_WHITE).set(~known, None),
        "demographicRaceTwoOrMoreRaces": ethnicity.is_in(_MIXED).set(~(known | (ethnicity == "MOTH")), None),
    }
    return {name: values.cast(pl.String) for name, values in said.items()}
