# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Evidence for a data protection impact assessment
#
# Which data, read how; what each column says; what was measured, of whom, by which rule; what was assumed; and an
# assessment in seven steps with its numbers filled in. The judgement, and the signature, are a person's.

# %% tags=["parameters"]
dataset: str = "../data/synthetic/otrack"  # a file or folder of tables
scenario: str = "otrack_2024"  # a built-in scenario, or the path of a scenario file
catalogue: str = ""  # a catalogue that a person has edited; empty: the one in the folder, or none
go_live: str = ""  # the day on which the processing begins, as in 2026-09-01; empty: not known
jurisdiction: str = "uk"  # whose law is asked; there is a table for uk alone
hide_below: int = 5  # people; a cell that counts fewer is hidden

# %%
from otrack_risk import access, assessment, exposure, frames, profile, report, risk

story = assessment.read_scenario(scenario)
everything = frames.read(dataset)
reached = story.reach(everything.columns)
data = everything.only(reached)
columns = profile.catalogue_for(dataset, everything.frames, catalogue).only(reached)
about = columns.about("child")
rows = data.table(about.name).rows
facts = story.quasi_identifiers or about.quasi_identifiers
learnt = [name for name in about.with_role("sensitive") if name not in facts]  # what is known cannot be learnt
day = story.as_of.date()
scope = exposure.exposure_scope(data, columns)  # reads the notes too, which takes most of the time
found = risk.measure(
    rows,
    facts,
    sensitive=learnt,
    direct_identifiers=about.with_role("direct"),
    person=about.person,
)
measured = assessment.Measured(
    as_of=day,
    exposure=scope,
    risk=found,
    access=access.asked_of(everything, as_of=day).access,
    severity=assessment.propose(story, scope.record(), found.record()),
    catalogue=columns,
    synthetic=assessment.is_synthetic(dataset),
)

# %% [markdown]
# ## Which data is this, and was anything left out?

# %%
report.inputs_read(data.inputs())

# %% [markdown]
# ## What does each column say, and why is it classified so?

# %%
profile.profile(data.frames, columns)

# %% [markdown]
# ## How many people does it speak of?

# %%
scope.published(hide_below)

# %% [markdown]
# ## How small is the crowd in which each child stands?

# %%
risk.k_anonymity(rows, facts)

# %% [markdown]
# ## How likely is it to find a child who is known to be in the table?

# %%
risk.prosecutor_risk(rows, facts)

# %% [markdown]
# ## Which combinations of facts single most children out?

# %%
risk.telling_combinations(rows, facts)

# %% [markdown]
# ## How much of the answer is what one makes of missing values?

# %%
risk.missing_compared(rows, facts)

# %% [markdown]
# ## What is learnt of the children who stay hidden?

# %%
risk.inference(rows, facts, learnt)

# %% [markdown]
# ## Is an impact assessment called for?

# %%
assessment.dpia_screening(measured).published(hide_below)

# %% [markdown]
# ## Which risks do the results propose?

# %%
assessment.risk_register(measured).published(hide_below)

# %% [markdown]
# ## What can be filled in of the seven steps, and what must a person write?

# %%
steps = assessment.seven_steps(measured, go_live=go_live, jurisdiction=jurisdiction)
steps.published(hide_below)

# %% [markdown]
# ## What can be handed to CNIL's tool?

# %%
assessment.cnil_pia(steps).published(hide_below)

# %% [markdown]
# ## On which tables of law, severity and roles do the answers rest?

# %%
report.tables_used(
    ["severity_enisa", "law_uk", "categories", "roles", "least_privilege", "screening", "dpia_ico", "cnil_pia"], day
)
