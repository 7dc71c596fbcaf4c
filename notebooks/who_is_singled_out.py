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
# # Who is singled out?
#
# For a room of staff: how few facts does it take before only one pupil fits? Counted over every choice of facts, in
# synthetic schools of three sizes. Nobody in them exists. The smaller the school, the fewer facts it takes; leaving out the
# name changes nothing.

# %% tags=["parameters"]
shapes: list[str] = ["primary", "secondary", "trust"]  # synthetic schools of 210, 900 and 6,000 pupils
facts: list[str] = [
    "sex",
    "year_group",
    "birth_month",
    "ethnicity",
    "first_language",
    "fsm",
    "sen_provision",
    "postcode_sector",
]  # fields that somebody may know
seed: int = 0  # of the synthetic schools
folder: str = "../data/synthetic"  # where the schools are written

# %%
from otrack_risk import risk, synth

pupils = {shape: synth.pupils(shape, folder, seed=seed) for shape in shapes}

# %% [markdown]
# ## How many facts does it take?

# %%
risk.uniqueness_by_facts(pupils, facts)

# %% [markdown]
# ## What can be found with all of them, in the smallest school?

# %%
risk.k_anonymity(pupils[shapes[0]], facts)
