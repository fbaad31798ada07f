"""A call as an operator would add it: small, with each thing that a large one has."""

A_CALL = """
name = "harvest"
titles = { en = "Harvest call", nl = "Oogstoproep" }
summary = { en = "For a test.", nl = "Voor een proef." }
source = "the operator's own"
valid_from = 2026-01-01
decided_by = "person"
working_days = 5
months = [1, 2]
gpu_hours_max = 100
kinds = ["startup"]
countries = ["NL"]

[amounts]
cpu_hour = 10

[cut_offs]
zone = "Europe/Amsterdam"
first = 2026-01-15

[[sections]]
name = "needs"
title = { en = "Needs", nl = "Behoefte" }

[[sections.fields]]
name = "title"
kind = "text"
question = { en = "Title?", nl = "Titel?" }
limit = 50

[[sections.fields]]
name = "purpose"
kind = "choice"
choices = ["civilian"]
question = { en = "Purpose?", nl = "Doel?" }

[[sections.fields]]
name = "gpu_hours"
kind = "number"
whole = true
unit = "GPU-hours"
limit = 100
question = { en = "Hours?", nl = "Uren?" }
example = 20

[[sections.fields]]
name = "months"
kind = "choice"
choices = ["1", "2"]
question = { en = "Months?", nl = "Maanden?" }

[[sections]]
name = "more"
title = { en = "More", nl = "Meer" }

[[sections.fields]]
name = "grain"
kind = "yes_no"
question = { en = "Is it grain?", nl = "Is het graan?" }

[[sections.fields]]
name = "which_grain"
kind = "choices"
choices = ["rye", "oats", "wheat"]
question = { en = "Which grain?", nl = "Welk graan?" }
when = { grain = [true] }

[[sections.fields]]
name = "sown"
kind = "date"
required = false
question = { en = "Sown when?", nl = "Wanneer gezaaid?" }

[[sections.fields]]
name = "farmer"
kind = "person"
required = false
question = { en = "Who farms?", nl = "Wie boert er?" }

[[sections.fields]]
name = "words"
kind = "list"
required = false
limit = 10
rows_max = 3
question = { en = "Words?", nl = "Woorden?" }

[[sections]]
name = "plan"
title = { en = "Plan", nl = "Plan" }

[[sections.fields]]
name = "fields"
kind = "table"
required = false
rows_max = 5
question = { en = "Fields?", nl = "Akkers?" }
columns = [
  { name = "field", kind = "text", question = { en = "Field", nl = "Akker" } },
  { name = "hours", kind = "number", question = { en = "Hours", nl = "Uren" } },
]

[[sections.fields]]
name = "plan"
kind = "table"
required = false
rows_max = 20
question = { en = "Month by month?", nl = "Maand voor maand?" }
columns = [
  { name = "month", kind = "number", whole = true, at_most = "months", question = { en = "Month", nl = "Maand" } },
  { name = "field", kind = "text", question = { en = "Field", nl = "Akker" } },
  { name = "hours", kind = "number", least = 0, question = { en = "Hours", nl = "Uren" } },
]

[[totals]]
title = { en = "Hours in the plan", nl = "Uren in het plan" }
sum = "plan.hours"
equals = "gpu_hours"
unit = "GPU-hours"

[[totals]]
title = { en = "Hours in the plan for each field", nl = "Uren in het plan per akker" }
sum = "plan.hours"
equals = "fields.hours"
by = "field"
"""

ANSWERS = {
    "title": "Rye",
    "purpose": "civilian",
    "gpu_hours": 20,
    "months": "2",
    "grain": True,
    "which_grain": ["rye"],
}
