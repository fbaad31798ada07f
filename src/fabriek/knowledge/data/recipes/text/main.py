"""A small transformer, made from scratch and then fine-tuned on other text. Plain PyTorch and MLflow."""

import argparse
import itertools
import os
import random
from pathlib import Path

import mlflow
import numpy as np
import torch
from torch import nn

BLOCK, BATCH, WIDTH, HEADS, LAYERS = 48, 8, 64, 4, 2

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=120)
parser.add_argument("--base_steps", type=int, default=150)
parser.add_argument("--learning_rate", type=float, default=0.004)
parser.add_argument("--data", type=Path)
parser.add_argument("--seed", type=int, default=7)
asked = parser.parse_args()

torch.manual_seed(asked.seed)
torch.set_num_threads(len(os.sched_getaffinity(0)))
device = "cuda" if torch.cuda.is_available() else "cpu"


def mixed(template: str, *words: list[str]) -> str:
    """Every sentence that the words make, in an order of chance."""
    sentences = [template.format(*chosen) for chosen in itertools.product(*words)]
    random.Random(asked.seed).shuffle(sentences)
    return "\n".join(sentences)


PLACES = ["harbour", "factory", "village", "library", "market", "station", "garden", "bridge"]
general = mixed(
    "The {} of the {} is {} than the {}.",
    ["north", "south", "east", "west", "middle", "front", "back"], PLACES,
    ["older", "newer", "larger", "quieter", "busier", "colder"], PLACES,
)  # fmt: skip
if asked.data:
    special = "\n".join(file.read_text("utf-8") for file in sorted(asked.data.rglob("*.txt")))
else:
    special = mixed(
        "Dear {}, your order of {} {} leaves on {}. Kind regards, {}.",
        ["Anna", "Bram", "Chris", "Daan", "Eva"], ["two", "three", "five", "nine"], ["pumps", "valves", "gears", "motors"],
        ["Monday", "Tuesday", "Friday"], ["Fatima", "Gijs", "Hanna"],
    )  # fmt: skip

letters = sorted(set(general + special))
number = {letter: place for place, letter in enumerate(letters)}
cut = int(len(special) * 0.9)
if len(special) - cut <= 2 * BLOCK:
    raise SystemExit(f"{len(special)} characters are too few: give at least {20 * BLOCK}")


def tokens(text: str) -> torch.Tensor:
    return torch.tensor([number[letter] for letter in text], device=device)


class Writer(nn.Module):
    """Foretells the next letter from those before it."""

    def __init__(self) -> None:
        super().__init__()
        self.letter, self.place = nn.Embedding(len(letters), WIDTH), nn.Embedding(BLOCK, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self.head = nn.Linear(WIDTH, len(letters))

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        length = seen.shape[1]
        ahead = nn.Transformer.generate_square_subsequent_mask(length, device=seen.device)
        placed = self.letter(seen) + self.place(torch.arange(length, device=seen.device))
        written: torch.Tensor = self.head(self.layers(placed, mask=ahead, is_causal=True))
        return written


def loss_of(model: nn.Module, blocks: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(model(blocks[:, :-1]).flatten(0, 1), blocks[:, 1:].flatten())


def test_loss(model: nn.Module, text: torch.Tensor) -> float:
    blocks = torch.stack([text[at : at + BLOCK + 1] for at in range(0, len(text) - BLOCK, BLOCK)][:64])
    with torch.no_grad():
        return loss_of(model, blocks).item()


def train(model: nn.Module, text: torch.Tensor, steps: int, name: str) -> None:
    weights = [one for one in model.parameters() if one.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=asked.learning_rate)
    for step in range(1, steps + 1):
        starts = torch.randint(len(text) - BLOCK, (BATCH,))
        loss = loss_of(model, torch.stack([text[start : start + BLOCK + 1] for start in starts]))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        if step % 10 == 0:
            mlflow.log_metric(f"{name}_loss", loss.item(), step=step)
        if step % max(1, steps // 5) == 0:
            print(f"{name} step {step:5}: loss {loss.item():.3f}", flush=True)


def sample(model: nn.Module, start: str, count: int = 120) -> str:
    written = start
    with torch.no_grad():
        for _ in range(count):
            chances = model(tokens(written[-BLOCK:])[None])[0, -1].softmax(0)
            written += letters[int(torch.multinomial(chances, 1))]
    return written


with mlflow.start_run():
    model = Writer().to(device)
    mlflow.log_params({**vars(asked), "weights": sum(one.numel() for one in model.parameters()), "device": device})
    train(model, tokens(general), asked.base_steps, "base")
    apart = tokens(special[cut:])
    before = test_loss(model, apart)
    for embedding in (model.letter, model.place):
        embedding.requires_grad_(requires_grad=False)
    train(model, tokens(special[:cut]), asked.steps, "tuned")
    after = test_loss(model, apart)
    mlflow.log_metrics({"test_loss_before": before, "test_loss": after, "loss_ratio": after / before})

output = Path(os.environ["FABRIEK_OUTPUT"])
np.savez(output / "weights.npz", **{name: value.cpu().numpy() for name, value in model.state_dict().items()})
(output / "sample.txt").write_text(sample(model, special[:5]), "utf-8")
print(f"done: on text that it has not seen, a loss of {before:.3f} became {after:.3f}", flush=True)
