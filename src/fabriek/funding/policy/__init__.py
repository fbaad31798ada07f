"""The rules of money as dated rows, and holding to them.

purposes   which share pays for which purpose
caps       how much of a share goes to one kind of use; `capping` holds awards to them
rates      what an hour costs
policy     all rows as one thing; `book` what is in force
"""
