"""What becomes of credits after they were awarded: they run out, they lapse, they come to their end.

rules        the figures, as dated rows
standing     a project's: open, no new jobs, data shut, closed, and back
lapsing      what is cut of a grant that is not used
warnings     what is told before an allocation ends
tellings     what a project's leads were told, once each
running_out  what one may ask, and the round that the worker makes
receipts     what became of one job's credits, line by line; `billing` reads them off the ledger
ending       gives back what nobody used of an allocation that has ended
"""
