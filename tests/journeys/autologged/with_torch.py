"""A small net, by Lightning's trainer: what MLflow logs of PyTorch by itself."""

import lightning
import mlflow
import torch
from sklearn.datasets import load_wine
from torch.utils.data import DataLoader, TensorDataset

mlflow.set_experiment("autolog-torch")
mlflow.autolog()


class Net(lightning.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(13, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layers(rows)

    def training_step(self, batch: list[torch.Tensor], _number: int) -> torch.Tensor:
        rows, wanted = batch
        loss = torch.nn.functional.cross_entropy(self(rows), wanted)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.01)


wine = load_wine()
rows = torch.tensor(wine.data, dtype=torch.float32)
rows = (rows - rows.mean(0)) / rows.std(0)
data = DataLoader(TensorDataset(rows, torch.tensor(wine.target)), batch_size=32)

with mlflow.start_run(run_name="net"):
    trainer = lightning.Trainer(
        max_epochs=4, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    trainer.fit(Net(), data)
