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
# # Who can see whom?
#
# If one password is stolen, how many children? Counted from the grants in force on one day, against the least that each
# role needs. A cell counts children, not permissions.

# %% tags=["parameters"]
dataset: str = "../data/synthetic/otrack"  # a folder of tables: the people, and the grants unless they are given apart
grants: str = ""  # other sources of grants, with a comma and a space between; empty: the table "grants" of the data set
needed: str = ""  # a school's own least-privilege matrix; empty: the built-in one
weights: str = ""  # a school's own weights of categories and verbs; empty: the built-in ones
log: str = ""  # an access log; empty: the table "access_log" of the data set, where it has one
accepted: str = ""  # risks that somebody accepted until a day; empty: none
as_of: str = ""  # the day on which a grant must be in force; empty: the scenario's
scenario: str = "otrack_2024"  # the scenario whose day it is
hide_below: int = 5  # people; a cell that counts fewer is hidden

# %%
from datetime import date

from otrack_risk import access, assessment, frames

story = assessment.read_scenario(scenario)
data = frames.read(dataset)
asked = access.asked_of(
    data,
    grants,
    needed=needed,
    weigh=weights,
    log=log,
    accepted=accepted,
    as_of=date.fromisoformat(as_of) if as_of else story.as_of.date(),
)

# %% [markdown]
# ## Which role can see how many children?

# %%
asked.access.published(hide_below)

# %% [markdown]
# ## How many more than it needs?

# %%
asked.access.view("difference").published(hide_below)

# %% [markdown]
# ## One stolen password: how many children?

# %%
asked.access.ladder().published(hide_below)

# %% [markdown]
# ## Is reach in a few hands?

# %%
asked.concentration().published(hide_below)

# %% [markdown]
# ## How many log-ins could open everything?

# %%
asked.tier_zero().published(hide_below)

# %% [markdown]
# ## How bad would the loss of one log-in be?

# %%
assessment.account_severity(asked.access, asked.categories_seen()).published(hide_below)

# %% [markdown]
# ## How many children would stolen log-ins expose in a year?

# %%
asked.expected_exposure().published(hide_below)

# %% [markdown]
# ## What should somebody look at first?

# %%
asked.access.findings_table().published(hide_below)

# %% [markdown]
# ## What is the least to change?

# %%
asked.revocations().published(hide_below)
