"""`with_submitit.py FOLDER [again]`: an array of four, and with `again` a job that is told to make room and goes on where it was."""

import json
import os
import pathlib
import sys
import time

import submitit


class Counting:
    """Writes one number after the other, each once, whatever happens on the way."""

    def __init__(self, file: str) -> None:
        self.file, self.step = file, 0

    def __call__(self, last: int) -> int:
        while self.step < last:
            self.step += 1
            with pathlib.Path(self.file).open("a") as out:
                out.write(f"{self.step}\n")
            time.sleep(0.4)
            if self.step == last // 2 and os.environ.get("SLURM_RESTART_COUNT", "0") == "0":
                time.sleep(60)  # until it is told to make room, however long the word takes
        pathlib.Path(f"{self.file}.restarts").write_text(os.environ.get("SLURM_RESTART_COUNT", "0"))
        return self.step

    def checkpoint(self, last: int) -> submitit.helpers.DelayedSubmission:
        return submitit.helpers.DelayedSubmission(self, last)


def square(number: int) -> int:
    print("squaring", number)
    return number * number


def main(folder: str, *, again: bool) -> None:
    executor = submitit.AutoExecutor(folder=f"{folder}/logs/%j")
    assert executor.cluster == "slurm", executor.cluster
    executor.update_parameters(timeout_min=5, slurm_array_parallelism=2, cpus_per_task=1, mem_gb=1, name="square")
    jobs = executor.map_array(square, [1, 2, 3, 4])
    told = {"squares": [job.result() for job in jobs], "said": "squaring 3" in (jobs[2].stdout() or "")}
    if again:
        steps = pathlib.Path(folder, "steps")
        counting = executor.submit(Counting(str(steps)), 10)
        while not steps.exists():
            time.sleep(0.1)
        time.sleep(0.5)
        counting._interrupt(timeout=False)
        told |= {"counted": counting.result(), "steps": [int(word) for word in steps.read_text().split()]}
        told["restarts"] = int(pathlib.Path(f"{steps}.restarts").read_text())
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], again="again" in sys.argv[2:])
