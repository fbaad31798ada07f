"""The rules of money as dated rows, and holding to them.

purposes   which share pays for which purpose
caps       how much of a share goes to one kind of use; `capping` holds awards to them
rates      what an hour costs
tree       how shares stand to each other: groups, ceilings, borrowing
policy     all rows as one thing; `rows` each by its name; `book` what is in force, of which `agreed` are the changes
proposals  a change, from proposed to in force; `changing` is the one way to it
comparing  who loses by a change and signs; `effects` what it comes to for each
"""
