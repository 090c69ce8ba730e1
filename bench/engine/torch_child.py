# PyTorch, eager, one thread, on one model of models.js: answers "train MS" and "infer MS" on standard input with a rate.
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)


class Gru(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = nn.GRU(14, 32, batch_first=True)
        self.out = nn.Linear(32, 1)

    def forward(self, x):
        return self.out(self.cell(x)[0][:, -1])


class Mean(nn.Module):
    def forward(self, x):
        return x.mean(dim=2)


MODELS = {
    "mlp": ((32,), 6, 32, "sgd", lambda: nn.Sequential(
        nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 6))),
    "autoencoder": ((115,), 115, 32, "adam", lambda: nn.Sequential(
        nn.Linear(115, 86), nn.Tanh(), nn.Linear(86, 38), nn.Tanh(), nn.Linear(38, 86), nn.Tanh(), nn.Linear(86, 115))),
    "gru": ((30, 14), 1, 32, "adam", Gru),
    "conv1d": ((9, 128), 6, 32, "adam", lambda: nn.Sequential(
        nn.Conv1d(9, 16, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(16, 32, 5), nn.ReLU(), Mean(), nn.Linear(32, 6))),
    "cnn": ((1, 28, 28), 10, 32, "sgd", lambda: nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 64), nn.ReLU(), nn.Linear(64, 10))),
    "mnist2nn": ((784,), 10, 10, "sgd", lambda: nn.Sequential(
        nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))),
}

shape, outputs, batch, kind, build = MODELS[sys.argv[1]]
model = build()
is_classifier = sys.argv[1] not in ("autoencoder", "gru")
loss_of = nn.CrossEntropyLoss() if is_classifier else nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), 0.01) if kind == "sgd" else torch.optim.Adam(model.parameters(), 0.001)
x = torch.randn(batch, *shape)
y = torch.arange(batch) % outputs if is_classifier else torch.randn(batch, outputs)
row = x[:1]


def train():
    optimizer.zero_grad()
    loss = loss_of(model(x), y)
    loss.backward()
    optimizer.step()


def infer():
    with torch.no_grad():
        model(row)


print("ready", flush=True)
for line in sys.stdin:
    what, ms = line.split()
    run = train if what == "train" else infer
    started = time.perf_counter()
    runs = 0
    while (time.perf_counter() - started) * 1000 < float(ms):
        run()
        runs += 1
    print(runs / (time.perf_counter() - started), flush=True)
