"""Distributed data-parallel training over the processes of one job. Plain PyTorch and MLflow."""

import argparse
import os
import socket
from pathlib import Path

import mlflow
import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler, TensorDataset

ROWS, ARMS, BATCH = 4_000, 4, 64


def spiral(count: int, seed: int) -> TensorDataset:
    """Points on the arms of a spiral, and which arm each is on."""
    chance = np.random.default_rng(seed)
    arm, along = chance.integers(ARMS, size=count), chance.uniform(0.1, 1.0, size=count)
    turn = along * 4 + arm * 2 * np.pi / ARMS + chance.normal(0, 0.08, size=count)
    points = np.stack([along * np.cos(turn), along * np.sin(turn)], axis=1)
    return TensorDataset(torch.tensor(points, dtype=torch.float32), torch.tensor(arm))


def work(rank: int, processes: int, port: int, asked: argparse.Namespace) -> None:
    """What each process does; the first one logs."""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=processes)
    torch.manual_seed(asked.seed)
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, ARMS)
    )
    model = DistributedDataParallel(net)
    training, test = spiral(ROWS, asked.seed), spiral(1_000, asked.seed + 1)
    sampler = DistributedSampler(training, processes, rank, seed=asked.seed)
    batches = DataLoader(training, batch_size=BATCH, sampler=sampler)
    optimiser = torch.optim.Adam(model.parameters(), lr=asked.learning_rate)
    if rank == 0:
        mlflow.start_run()
        mlflow.log_params({**vars(asked), "backend": dist.get_backend()})
    for epoch in range(asked.epochs):
        sampler.set_epoch(epoch)
        for points, arms in batches:
            loss = torch.nn.functional.cross_entropy(model(points), arms)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        if rank == 0:
            with torch.no_grad():
                points, arms = test.tensors
                accuracy = (net(points).argmax(1) == arms).float().mean().item()
            mlflow.log_metrics({"train_loss": loss.item(), "test_accuracy": accuracy}, step=epoch)
            print(f"epoch {epoch + 1:3}: {accuracy:.1%} right, {processes} processes", flush=True)
    mine = torch.cat([one.detach().flatten() for one in net.parameters()])
    all_of_them = [torch.empty_like(mine) for _ in range(processes)]
    dist.all_gather(all_of_them, mine)
    differ = sum(not torch.equal(one, mine) for one in all_of_them)
    if rank == 0:
        mlflow.log_metric("weights_differ", differ)
        weights = {name: value.numpy() for name, value in net.state_dict().items()}
        np.savez(Path(os.environ["FABRIEK_OUTPUT"]) / "weights.npz", **weights)
        mlflow.end_run()
    dist.destroy_process_group()
    if differ:
        raise SystemExit(f"process {rank}: {differ} of {processes} hold other weights")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--learning_rate", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")  # the name of this host may lead nowhere within the job
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    torch.multiprocessing.spawn(work, args=(asked.processes, port, asked), nprocs=asked.processes)
