"""Distances between small clouds of points, in float64, by the package POT (Python Optimal Transport).

Run in this folder: pip install numpy scipy POT==0.9.7.post1; python make_distances.py

x and y are C x N and C x M, row-major, as feature maps are.
exact      = the squared Wasserstein-2 distance between the clouds, by linear programming
axes       = the mean over the C coordinate axes of the squared Wasserstein-2 distance along each
directions = K x C unit vectors; along = the same mean over these
sphere     = the same over all directions, by 400,000 drawn ones: good to about 0.2 %
cmd        = the sum over channels and orders k = 1 .. 5 of the squared difference of the k-th roots of the
             means and central moments of order k, those of a negative third or fifth one negative
"""
import json
import numpy as np, ot
from scipy.stats import moment

random = np.random.default_rng(5)


def cloud(channels, positions, shift):
    return np.maximum(0, random.normal(size=(channels, positions)) * np.arange(1, channels + 1)[:, None] + shift)


def roots(x):
    orders = [x.mean(1)] + [moment(x, k, axis=1) for k in (2, 3, 4, 5)]
    return np.stack([np.sign(c) * np.abs(c) ** (1 / k) for k, c in enumerate(orders, 1)])


def case(channels, n, m):
    x, y = cloud(channels, n, 1), cloud(channels, m, 0.3)
    directions = random.normal(size=(4, channels))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)

    def sliced(projections):
        return ot.sliced_wasserstein_distance(x.T, y.T, projections=projections.T, p=2) ** 2

    sphere = random.normal(size=(400000, channels))
    sphere /= np.linalg.norm(sphere, axis=1, keepdims=True)
    return {
        'channels': channels, 'x': x.ravel().tolist(), 'y': y.ravel().tolist(),
        'exact': ot.emd2([], [], ot.dist(x.T, y.T)),
        'axes': float(np.mean([ot.emd2_1d(a, b) for a, b in zip(x, y)])),
        'directions': directions.ravel().tolist(), 'along': float(sliced(directions)),
        'sphere': float(np.mean([sliced(part) for part in np.split(sphere, 100)])),
        'cmd': float(((roots(x) - roots(y)) ** 2).sum()),
    }


json.dump([case(*c) for c in ((1, 12, 12), (1, 15, 7), (3, 10, 10), (3, 12, 9), (4, 5, 22), (2, 1, 8), (3, 6, 1))],
          open('distances.json', 'w'), indent=1)
