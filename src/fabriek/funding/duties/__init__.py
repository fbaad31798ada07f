"""What an award obliges to: reports by their day, thanks to who paid; and what an accepted report gives.

rules             dated rows: which reports a call asks for and when, which extension follows, how each kind of funder is thanked
reports           a report with its state, and the duty that asks for it
reporting         fill in, file, accept, return; and whom an overdue report keeps from a new award
extending         more time and a part more, once, after an accepted report
acknowledgements  the text that thanks a funder, with what was really paid
acknowledging     set it, and read a project's
reminding         letters before a report is due, and when it is overdue
store             the SQL
data/             the rows, and the forms of the reports
"""
