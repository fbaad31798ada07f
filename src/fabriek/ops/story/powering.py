"""Step 8: a day-ahead power limit holds a job back, and the simulator asks what a larger share would have done."""

from datetime import timedelta

from fabriek.kernel.errors import InvalidInput
from fabriek.ops.story.stage import Stage

WAIT_SECONDS_MAX = 60
WATTS_SPARE = 4
"""Less than one busy core draws, so that the next job cannot start beneath the limit."""


def power(stage: Stage) -> str:
    """The job waits and says why in one sentence; the limit ends and it starts."""
    operator, startup = stage.people["operator"], stage.people["startup"]
    now = stage.clock.now()
    limit = operator.jobs.limit_power(
        starts_at=now,
        ends_at=now + timedelta(hours=2),
        watts=operator.jobs.power().planned_watts + WATTS_SPARE,
        source="grid operator",
    )
    job = startup.jobs.run(["sh", "-c", "echo the limit has ended"], name="after-the-limit", wall_seconds_max=60)
    why = _why_it_waits(stage, job.id)
    stage.say(f"fabriek job why {job.id}")
    stage.say(f"| {why}")
    operator.jobs.end_power_limit(limit.id)
    ended = startup.jobs.wait(job.id, seconds_max=WAIT_SECONDS_MAX)
    assert ended.state == "succeeded", ended
    outcomes = operator.jobs.simulate(scale={"europe": 2.0}).outcomes
    told = "; ".join(f"{one.policy}: {one.jobs} jobs, mean wait {one.wait_seconds_mean:.1f} s" for one in outcomes)
    return (
        f"held by a limit of {limit.watts} W, started when it ended; replayed through the same admission code ({told})"
    )


def _why_it_waits(stage: Stage, job: str) -> str:
    give_up = stage.clock.monotonic() + WAIT_SECONDS_MAX
    while True:
        told = stage.people["startup"].jobs.why(job)
        if told.why.startswith("Waits for power"):
            return told.why
        if stage.clock.monotonic() > give_up or told.state != "queued":
            raise InvalidInput(f"the job did not wait for power: {told.why}", fix="fabriek power show")
        stage.clock.sleep(0.05)
