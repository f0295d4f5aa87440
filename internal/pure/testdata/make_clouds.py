"""Losses between small clouds of points, in float64, by other packages.

Run in this folder: pip install numpy torch POT==0.9.7.post1 geomloss==0.3.1; python make_clouds.py

x and y are C x N and C x M, row-major, as feature maps are. D2 is the mean squared distance between two points of y.
exact          = the squared Wasserstein-2 distance, by POT's linear programming
cosine         = the transport cost with 1 - x.y/|x||y|, likewise
sinkhorn       = by ratio eps/D2: the debiased divergence with the cost |x-y|^2 and eps. GeomLoss, whose cost is
                 |x-y|^2/2, gives half of it with blur^2 = eps/2. Its annealing is slowed down until it has converged.
gradient       = of the sinkhorn value at the first ratio by x, likewise
mmd            = with bandwidth h, the median of the squared distances between the points of y, by GeomLoss, whose
                 value is half of ours for each of the five kernels
"""
import json
import numpy as np, torch, ot
from geomloss import SamplesLoss

random = np.random.default_rng(5)
torch.set_default_dtype(torch.float64)
RATIOS = [0.2, 0.05, 0.01]


def case(channels, n, m):
    x = np.round(random.normal(size=(channels, n)) * np.arange(1, channels + 1)[:, None] + 0.7, 4)
    y = np.round(random.normal(size=(channels, m)) * np.arange(channels, 0, -1)[:, None], 4)
    spread = 2 * y.var(1).sum()
    px, py = torch.tensor(x.T.copy(), requires_grad=True), torch.tensor(y.T.copy())

    def sinkhorn(ratio):
        return 2 * SamplesLoss('sinkhorn', p=2, blur=np.sqrt(ratio * spread / 2), scaling=0.9995)(px, py)

    distances = ot.dist(y.T, y.T)[np.tril_indices(m, -1)]
    h = np.sort(distances)[len(distances) // 2]
    values = [sinkhorn(r) for r in RATIOS]
    gradient, = torch.autograd.grad(values[0], px)
    cosine = 1 - (x / np.linalg.norm(x, axis=0)).T @ (y / np.linalg.norm(y, axis=0))
    return {
        'channels': channels, 'x': x.ravel().tolist(), 'y': y.ravel().tolist(),
        'exact': ot.emd2([], [], ot.dist(x.T, y.T)), 'cosine': ot.emd2([], [], cosine),
        'sinkhorn': {str(r): v.item() for r, v in zip(RATIOS, values)}, 'gradient': gradient.T.ravel().tolist(),
        'mmd': sum(2 * SamplesLoss('gaussian', blur=np.sqrt(h * k))(px, py).item() for k in (0.25, 0.5, 1, 2, 4)) / 5,
    }


json.dump([case(*c) for c in ((1, 8, 8), (2, 7, 12), (3, 20, 15), (5, 30, 30), (4, 1, 9))], open('clouds.json', 'w'), indent=1)
