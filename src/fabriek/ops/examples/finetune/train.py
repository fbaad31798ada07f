"""Fine-tunes a base model on one's own text. Plain transformers and MLflow: run as a job, both find what they need inside.

fabriek data push letters/ letters
fabriek run --data letters:/data -- python train.py tiny-writer /data
"""

import math
import os
import sys
from pathlib import Path

import mlflow
import torch
from huggingface_hub import HfApi
from mlflow import MlflowClient
from transformers import AutoModelForCausalLM, AutoTokenizer

NAME, TEXTS = sys.argv[1], Path(sys.argv[2])
STEPS = int(sys.argv[3]) if len(sys.argv) > 3 else 120
BLOCK, BATCH, RATE, SEED = 64, 8, 2e-3, 7
LABELLED_AS = "tuned-" + NAME.rpartition("/")[2]

torch.manual_seed(SEED)
torch.set_num_threads(len(os.sched_getaffinity(0)))
commit = HfApi().model_info(NAME).sha or ""  # what the name means now; from here on it stays that
tokenizer = AutoTokenizer.from_pretrained(NAME, revision=commit)
model = AutoModelForCausalLM.from_pretrained(NAME, revision=commit)
print(f"{NAME}@{commit[:12]}: {model.num_parameters():,} parameters, from {os.environ.get('HF_ENDPOINT')}", flush=True)

text = "\n".join(file.read_text("utf-8") for file in sorted(TEXTS.rglob("*.txt")))
tokens = torch.tensor(
    tokenizer(text, verbose=False)["input_ids"]
)  # longer than one pass takes, and cut into blocks below
cut = int(len(tokens) * 0.9)
training, kept_apart = tokens[:cut], tokens[cut:]
assert len(kept_apart) > BLOCK, f"{len(tokens)} tokens are too few: give more text"
print(f"{len(text):,} characters, {len(tokens):,} tokens; a tenth kept apart for the test", flush=True)


def test_loss() -> float:
    model.eval()
    with torch.no_grad():
        blocks = [kept_apart[at : at + BLOCK] for at in range(0, len(kept_apart) - BLOCK, BLOCK)][:32]
        losses = [model(input_ids=one[None], labels=one[None]).loss.item() for one in blocks]
    model.train()
    return float(sum(losses) / len(losses))


with mlflow.start_run() as run:
    mlflow.log_params(
        {"base_model": NAME, "base_model_commit": commit, "steps": STEPS, "learning_rate": RATE, "seed": SEED}
    )
    before = test_loss()
    mlflow.log_metric("test_loss", before, step=0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
    model.train()
    for step in range(1, STEPS + 1):
        starts = torch.randint(len(training) - BLOCK, (BATCH,))
        batch = torch.stack([training[start : start + BLOCK] for start in starts])
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        mlflow.log_metric("train_loss", loss.item(), step=step)
        if step % max(1, STEPS // 6) == 0:
            after = test_loss()
            mlflow.log_metrics({"test_loss": after, "test_perplexity": math.exp(after)}, step=step)
            print(f"step {step:4}: loss {loss.item():.3f}, on text that it has not seen {after:.3f}", flush=True)

    folder = Path("tuned")
    model.save_pretrained(folder)  # safetensors: data, and never code
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text(f"---\nbase_model: {NAME}\n---\n# {LABELLED_AS}\n\nFrom {NAME} at {commit}.\n")
    client = MlflowClient()
    logged = client.create_logged_model(run.info.experiment_id, name="tuned", source_run_id=run.info.run_id)
    client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, "READY")
    client.create_registered_model(LABELLED_AS)
    made = client.create_model_version(
        LABELLED_AS, f"models:/{logged.model_id}", run_id=run.info.run_id, model_id=logged.model_id
    )
    print(f"done: {before:.3f} became {after:.3f}; registered as {made.name} version {made.version}", flush=True)
