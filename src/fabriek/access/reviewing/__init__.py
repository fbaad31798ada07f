"""Judging applications: in working days, in the open to whom it concerns, and by nobody who has a stake in it.

working_days  when the office is open: days off are dated data
clocks        what is left of the time that was promised; pauses; alarms
terms         how it is judged: by what its call says, and by rules that all reviews share
cases         what reviewing keeps of one application beside its answers
conflicts     the rules by which somebody may not judge it
scaling       speed-up and efficiency out of measured node counts
assessments   what an expert is asked, and what they answered
decisions     awarded or refused, with a motive and an objection term
history       the steps, and what of them each reader may know
docket          finding an application, who one is to it, moving it on
reception     what happens at once when one is submitted
desk          the verbs of reviewers and applicants: look, take, ask, answer, check
panel         the verbs on experts: assign, assess, decline
committee     the verbs of who decides: decide, sign, rank
telling       alarms: each once, to who must act
store         the SQL
"""
