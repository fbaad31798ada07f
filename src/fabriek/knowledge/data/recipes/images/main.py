"""A small convolutional net that reads digits. Plain PyTorch and MLflow."""

import argparse
import os
from pathlib import Path

import mlflow
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=12)
parser.add_argument("--learning_rate", type=float, default=0.005)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--seed", type=int, default=7)
asked = parser.parse_args()

torch.manual_seed(asked.seed)
torch.set_num_threads(len(os.sched_getaffinity(0)))
device = "cuda" if torch.cuda.is_available() else "cpu"

digits = load_digits()
pictures = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]  # one channel, from 0 to 1
answers = torch.tensor(digits.target)
rows_train, rows_test = train_test_split(
    np.arange(len(answers)), test_size=0.25, random_state=asked.seed, stratify=digits.target
)
training = DataLoader(TensorDataset(pictures[rows_train], answers[rows_train]), batch_size=asked.batch, shuffle=True)
x_test, y_test = pictures[rows_test].to(device), answers[rows_test].to(device)

net = torch.nn.Sequential(
    torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Conv2d(16, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Flatten(), torch.nn.Dropout(0.2), torch.nn.Linear(32 * 2 * 2, 10),
).to(device)  # fmt: skip
optimiser = torch.optim.AdamW(net.parameters(), lr=asked.learning_rate)
print(
    f"{sum(one.numel() for one in net.parameters()):,} weights on {device}; {len(rows_test)} pictures kept apart",
    flush=True,
)

with mlflow.start_run():
    mlflow.log_params({**vars(asked), "device": device})
    for epoch in range(asked.epochs):
        net.train()
        total = 0.0
        for x, y in training:
            loss = torch.nn.functional.cross_entropy(net(x.to(device)), y.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item() * len(y)
        net.eval()
        with torch.no_grad():
            accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
        mlflow.log_metrics({"train_loss": total / len(rows_train), "test_accuracy": accuracy}, step=epoch)
        print(f"epoch {epoch + 1:3}: loss {total / len(rows_train):.3f}, {accuracy:.1%} right", flush=True)

weights = {name: value.cpu().numpy() for name, value in net.state_dict().items()}
np.savez(Path(os.environ["FABRIEK_OUTPUT"]) / "weights.npz", **weights)
